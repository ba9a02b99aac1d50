import { u8, u16 } from '../bytes.ts';
import { ETHER_TYPE } from './ether-type.ts';
import { type Layer, SPACE } from './layer.ts';

export const TEREDO_PORT = 3544;

const AUTHENTICATION = 1;
/** Type, two lengths, nonce and confirmation. */
const AUTHENTICATION_HEADER = 13;
const ORIGIN = 0;
const ORIGIN_HEADER = 8;
const IPV6_HEADER = 40;

/** RFC 4380: an IPv6 packet in UDP, perhaps behind an authentication and an origin indication. */
export const teredo = {
  name: 'teredo',
  title: 'Teredo',
  udpPorts: [TEREDO_PORT],
  decode(packet) {
    const { bytes, end } = packet;
    let at = packet.cursor;
    if (at + 2 <= end && u16(bytes, at) === AUTHENTICATION) {
      if (at + AUTHENTICATION_HEADER > end) return packet.decline();
      at += AUTHENTICATION_HEADER + u8(bytes, at + 2) + u8(bytes, at + 3);
    }
    if (at + 2 <= end && u16(bytes, at) === ORIGIN) at += ORIGIN_HEADER;
    if (at + IPV6_HEADER > end || u8(bytes, at) >> 4 !== 6) return packet.decline();
    if (at + IPV6_HEADER + u16(bytes, at + 4) > packet.wireEnd) return packet.decline();
    packet.cursor = at;
    packet.next = SPACE.etherType + ETHER_TYPE.ipv6;
  },
} as const satisfies Layer;
