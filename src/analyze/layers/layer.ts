import type { PacketView } from '../packet/packet.ts';

/**
 * One layer of a packet. `decode` starts with `packet.cursor` on its first byte, reads only what `packet.has` has
 * confirmed, moves the cursor behind its header, and sets what follows in `packet.next` (or leaves it: nothing known
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
  /** UDP ports to which it is sent. A port is a hint: content that does not fit is declined (`packet.decline`). */
  readonly udpPorts?: readonly number[];
  /** A selector of SPACE.own, for a layer that only another layer names. */
  readonly selector?: number;
  decode(packet: PacketView): void;
}

/**
 * What a layer may name its successor with. A number within its space, added to the space, is one index into one table
 * of layers; a new way to name layers is a new space. A UDP port names a layer if one answers to it, and else payload.
 */
export const SPACE = {
  linkType: 0,
  etherType: 0x1_0000,
  ipProtocol: 0x2_0000,
  udpPort: 0x2_0100,
  /** What no number on the wire names. */
  own: 0x3_0100,
} as const;
export const SPACES_END = 0x3_0110;

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
  /** LAYERS_MAXIMUM or TUNNELS_MAXIMUM was reached. */
  limit: 4,
  /** While decoding only: the layer finds that this is not its header after all. What is there is payload. */
  declined: 5,
} as const;

export type Stop = (typeof STOP)[keyof typeof STOP];

export const DIRECTION = { unknown: 0, inbound: 1, outbound: 2 } as const;
export type Direction = (typeof DIRECTION)[keyof typeof DIRECTION];
