import { u8, u16 } from '../bytes.ts';
import { ETHER_TYPE } from './ether-type.ts';
import { type Layer, SPACE } from './layer.ts';

export const SELECT_PPP: number = SPACE.own + 2;

/** LINKTYPE_PPP (tcpdump.org/linktypes). */
const LINK_TYPE_PPP = 9;

/** All stations, unnumbered information: left out where both sides agreed to (RFC 1661, section 6.6). */
const ADDRESS_AND_CONTROL = 0xff03;

const IPV4 = 0x0021;
const IPV6 = 0x0057;
const MPLS = 0x0281;

/** RFC 1661: in PPPoE, in PPTP's GRE, and as a link type. Its own control protocols are not decoded. */
export const ppp = {
  name: 'ppp',
  title: 'PPP',
  linkTypes: [LINK_TYPE_PPP],
  selector: SELECT_PPP,
  decode(packet) {
    const { bytes } = packet;
    if (!packet.has(1)) return;
    if (packet.payloadCaptured >= 2 && u16(bytes, packet.cursor) === ADDRESS_AND_CONTROL) packet.cursor += 2;
    if (!packet.has(1)) return;
    // A protocol's last byte is odd, all others are even: a first odd one is a field cut to one byte.
    const isShort = (u8(bytes, packet.cursor) & 1) !== 0;
    if (!packet.has(isShort ? 1 : 2)) return;
    const protocol = isShort ? u8(bytes, packet.cursor) : u16(bytes, packet.cursor);
    packet.cursor += isShort ? 1 : 2;
    if (protocol === IPV4) packet.next = SPACE.etherType + ETHER_TYPE.ipv4;
    else if (protocol === IPV6) packet.next = SPACE.etherType + ETHER_TYPE.ipv6;
    else if (protocol === MPLS) packet.next = SPACE.etherType + ETHER_TYPE.mpls;
  },
} as const satisfies Layer;
