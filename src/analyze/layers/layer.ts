import type { PacketView } from '../packet.ts';

/**
 * One layer of a packet. `decode` starts with `packet.cursor` on its first octet, reads only what `packet.has` says is
 * there, moves the cursor behind its header, and says what follows in `packet.next` (or leaves it: nothing known
 * follows). It allocates nothing and never throws.
 */
export interface Layer {
  readonly name: string;
  /** The name for people. */
  readonly title: string;
  /** LINKTYPE_ values that begin with this layer (tcpdump.org/linktypes). */
  readonly linkTypes?: readonly number[];
  /** EtherTypes that name it. */
  readonly etherTypes?: readonly number[];
  /** IP protocol and IPv6 next header numbers that name it. */
  readonly ipProtocols?: readonly number[];
  decode(packet: PacketView): void;
}

/**
 * What a layer may name its successor with. A number within its space, added to the space, is one index into one table
 * of layers; a new way to name layers (a tunnel's UDP port) is a new space.
 */
export const SPACE = { linkType: 0, etherType: 0x1_0000, ipProtocol: 0x2_0000 } as const;
export const SPACES_END = 0x2_0100;

/** `packet.next` when no further layer is named: what follows is payload, or decoding stopped. */
export const NEXT_NONE = -1;

/** Why decoding stopped before the payload. */
export const STOP = {
  none: 0,
  /** The capture kept too little of the packet. */
  truncated: 1,
  /** The packet itself is too short for what it claims, or contradicts itself. */
  malformed: 2,
  /** The next layer is not one ksnoop decodes; `packet.next` names it. */
  unsupported: 3,
  /** LAYERS_MAXIMUM was reached. */
  limit: 4,
} as const;

export type Stop = (typeof STOP)[keyof typeof STOP];

export const DIRECTION = { unknown: 0, inbound: 1, outbound: 2 } as const;
export type Direction = (typeof DIRECTION)[keyof typeof DIRECTION];
