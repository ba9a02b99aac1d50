import { LINK_TYPE } from '../../wire/link-type.ts';
import { u8 } from '../bytes.ts';
import { type Layer, SPACE } from './layer.ts';

/** Address family, version, resource; then a length and a type before each attribute. */
const HEADER = 4;
const ATTRIBUTE = 4;
/** NFULA_PAYLOAD: the packet. */
const PAYLOAD = 9;
const AF_INET = 2;
const AF_INET6 = 10;
/** The kernel has 20 kinds of attributes. */
const ATTRIBUTES_MAXIMUM = 40;

/** LINKTYPE_NFLOG (tcpdump.org/linktypes): what `-i nflog:N` gives of the NFLOG target of iptables and nftables. */
export const nflog = {
  name: 'nflog',
  title: 'NFLOG',
  linkTypes: [LINK_TYPE.nflog],
  decode(packet) {
    if (!packet.has(HEADER)) return;
    const { bytes } = packet;
    const family = u8(bytes, packet.cursor);
    packet.cursor += HEADER;
    for (let count = 0; count < ATTRIBUTES_MAXIMUM; count += 1) {
      if (!packet.has(ATTRIBUTE)) return;
      const at = packet.cursor;
      // In the byte order of the capturing machine. Types are small numbers, which shows the order.
      const big = u8(bytes, at + 3) !== 0 && (u8(bytes, at + 2) & 0x7f) === 0;
      const length = big ? (u8(bytes, at) << 8) | u8(bytes, at + 1) : (u8(bytes, at + 1) << 8) | u8(bytes, at);
      const type = big ? u8(bytes, at + 3) : u8(bytes, at + 2);
      if (length < ATTRIBUTE) return packet.malformed();
      if (type === PAYLOAD) {
        packet.cursor += ATTRIBUTE;
        if (family === AF_INET) packet.next = SPACE.etherType + 0x0800;
        else if (family === AF_INET6) packet.next = SPACE.etherType + 0x86dd;
        return;
      }
      const padded = (length + 3) & ~3;
      if (!packet.has(padded)) return;
      packet.cursor += padded;
    }
    packet.malformed();
  },
} as const satisfies Layer;
