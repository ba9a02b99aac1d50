import { u8 } from '../bytes.ts';
import type { PacketView } from '../packet/packet.ts';
import { IP_PROTOCOL } from './ip-protocol.ts';
import { type Layer, NEXT_NONE, SPACE } from './layer.ts';

/** The extension headers whose length counts 8 bytes beyond the first 8 (RFC 8200, section 4). */

export const hopByHop = {
  name: 'hop-by-hop',
  title: 'IPv6 hop-by-hop options',
  ipProtocols: [IP_PROTOCOL.hopByHop],
  decode: decodeExtension,
} as const satisfies Layer;

export const routing = {
  name: 'routing',
  title: 'IPv6 routing header',
  ipProtocols: [IP_PROTOCOL.routing],
  decode: decodeExtension,
} as const satisfies Layer;

export const destinationOptions = {
  name: 'destination-options',
  title: 'IPv6 destination options',
  ipProtocols: [IP_PROTOCOL.destinationOptions],
  decode: decodeExtension,
} as const satisfies Layer;

function decodeExtension(packet: PacketView): void {
  if (!packet.has(8)) return;
  const length = (u8(packet.bytes, packet.cursor + 1) + 1) * 8;
  if (!packet.has(length)) return;
  followExtension(packet, length);
}

/** Step over an extension header, which names its successor in its first byte. */
export function followExtension(packet: PacketView, length: number): void {
  const protocol = u8(packet.bytes, packet.cursor);
  packet.ipProtocol = protocol;
  packet.cursor += length;
  packet.next = protocol === IP_PROTOCOL.none ? NEXT_NONE : SPACE.ipProtocol + protocol;
}
