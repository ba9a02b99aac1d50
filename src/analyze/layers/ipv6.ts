import { LINK_TYPE } from '../../wire/link-type.ts';
import { u8, u16 } from '../bytes.ts';
import { ETHER_TYPE } from './ether-type.ts';
import { IP_PROTOCOL } from './ip-protocol.ts';
import { type Layer, NEXT_NONE, SPACE } from './layer.ts';

const HEADER = 40;

/** RFC 8200; within another IP packet RFC 2473 and 4213 (6in4). */
export const ipv6 = {
  name: 'ipv6',
  title: 'IPv6',
  linkTypes: [LINK_TYPE.ipv6],
  etherTypes: [ETHER_TYPE.ipv6],
  ipProtocols: [IP_PROTOCOL.ipv6],
  decode(packet) {
    const { bytes, cursor } = packet;
    if (packet.networkOffset >= 0 && !packet.enterTunnel()) return;
    if (!packet.has(HEADER)) return;
    if (u8(bytes, cursor) >> 4 !== 6) return packet.malformed();
    const length = u16(bytes, cursor + 4);
    const protocol = u8(bytes, cursor + 6);
    packet.ipVersion = 6;
    packet.networkOffset = cursor;
    packet.addressLength = 16;
    packet.sourceAddress = cursor + 8;
    packet.destinationAddress = cursor + 24;
    packet.ipProtocol = protocol;
    packet.hopLimit = u8(bytes, cursor + 7);
    packet.cursor = cursor + HEADER;
    // A length of 0 means a jumbogram (RFC 2675) or segmentation offload above 64 KiB: the frame's own length holds.
    if (length !== 0 || !mayBeJumbo(protocol)) packet.narrow(packet.cursor + length);
    packet.next = protocol === IP_PROTOCOL.none ? NEXT_NONE : SPACE.ipProtocol + protocol;
  },
} as const satisfies Layer;

function mayBeJumbo(protocol: number): boolean {
  return protocol === IP_PROTOCOL.hopByHop || protocol === IP_PROTOCOL.tcp || protocol === IP_PROTOCOL.udp;
}
