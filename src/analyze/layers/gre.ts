import { u8, u16 } from '../bytes.ts';
import type { PacketView } from '../packet/packet.ts';
import { ETHER_TYPE } from './ether-type.ts';
import { IP_PROTOCOL } from './ip-protocol.ts';
import { type Layer, SPACE } from './layer.ts';
import { SELECT_PPP } from './ppp.ts';

const HEADER = 4;

/** GRE in UDP (RFC 8086). */
const PORT = 4754;

/** The flags of the first two bytes. */
export const GRE = {
  checksum: 0x8000,
  routing: 0x4000,
  key: 0x2000,
  sequence: 0x1000,
  /** Of version 1 only. */
  acknowledgment: 0x0080,
  version: 0x0007,
} as const;

/**
 * RFC 2784 and 2890, the source routes of RFC 1701, and version 1: PPTP's (RFC 2637) with PPP in it, but others put IP
 * behind the same header.
 */
export const gre = {
  name: 'gre',
  title: 'GRE',
  ipProtocols: [IP_PROTOCOL.gre],
  udpPorts: [PORT],
  decode(packet) {
    const { bytes, cursor } = packet;
    if (packet.transportOffset < 0) packet.transportOffset = cursor;
    if (!packet.has(HEADER)) return;
    const flags = u16(bytes, cursor);
    const version = flags & GRE.version;
    const protocol = u16(bytes, cursor + 2);
    if (version > 1) {
      packet.cursor = cursor + HEADER;
      return;
    }
    const header = greHeaderLength(flags);
    if (!packet.has(header)) return;
    packet.cursor = cursor + header;
    if (version === 0 && (flags & GRE.routing) !== 0 && !skipRoutes(packet)) return;
    // A keepalive names nothing; an acknowledgment of PPTP carries nothing.
    if (protocol === 0 || packet.wireEnd <= packet.cursor) return;
    packet.next = protocol === ETHER_TYPE.ppp ? SELECT_PPP : SPACE.etherType + protocol;
  },
} as const satisfies Layer;

/** Bytes of the header, source routes aside, by its flags. */
function greHeaderLength(flags: number): number {
  const isVersion1 = (flags & GRE.version) === 1;
  let length = HEADER;
  if (!isVersion1 && (flags & (GRE.checksum | GRE.routing)) !== 0) length += 4;
  if ((flags & GRE.key) !== 0) length += 4;
  if ((flags & GRE.sequence) !== 0) length += 4;
  if (isVersion1 && (flags & GRE.acknowledgment) !== 0) length += 4;
  return length;
}

/** Step over source route entries, of which an empty one is the last. @returns false when they do not end */
function skipRoutes(packet: PacketView): boolean {
  for (;;) {
    if (!packet.has(4)) return false;
    const length = u8(packet.bytes, packet.cursor + 3);
    if (!packet.has(4 + length)) return false;
    packet.cursor += 4 + length;
    if (length === 0) return true;
  }
}
