import { u8 } from '../bytes.ts';
import type { PacketView } from '../packet/packet.ts';
import { IP_PROTOCOL } from './ip-protocol.ts';
import type { Layer } from './layer.ts';

const HEADER = 8;

/** RFC 792. What follows the header is payload, also the packet an error quotes. */
export const icmp = {
  name: 'icmp',
  title: 'ICMP',
  ipProtocols: [IP_PROTOCOL.icmp],
  decode: decodeIcmp,
} as const satisfies Layer;

/** Type, code, checksum and four bytes whose meaning is the type's: the same in both ICMPs. */
export function decodeIcmp(packet: PacketView): void {
  const { bytes, cursor } = packet;
  packet.transportOffset = cursor;
  if (!packet.has(2)) return;
  packet.icmpType = u8(bytes, cursor);
  packet.icmpCode = u8(bytes, cursor + 1);
  if (!packet.has(HEADER)) return;
  packet.cursor = cursor + HEADER;
}
