import { LINK_TYPE } from '../../wire/link-type.ts';
import { i32 } from '../bytes.ts';
import { type Layer, SPACE } from './layer.ts';

const AF_INET = 2;
/** AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, Darwin. */
const AF_INET6 = [10, 24, 28, 30];

/** LINKTYPE_NULL and LINKTYPE_LOOP: an address family in the byte order of the capturing machine. */
export const loopback = {
  name: 'loopback',
  title: 'loopback',
  linkTypes: [LINK_TYPE.null, LINK_TYPE.loop],
  decode(packet) {
    if (!packet.has(4)) return;
    const big = i32(packet.bytes, packet.cursor) >>> 0;
    // Families are small: in the right byte order the upper half is zero.
    const family = big > 0xffff ? (big >>> 24) | ((big >>> 8) & 0xff00) : big;
    packet.cursor += 4;
    if (family === AF_INET) packet.next = SPACE.etherType + 0x0800;
    else if (AF_INET6.includes(family)) packet.next = SPACE.etherType + 0x86dd;
  },
} as const satisfies Layer;
