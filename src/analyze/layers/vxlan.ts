import { u8, u16 } from '../bytes.ts';
import { ETHER_TYPE } from './ether-type.ts';
import { SELECT_ETHERNET } from './ethernet.ts';
import { type Layer, NEXT_NONE, SPACE } from './layer.ts';

const HEADER = 8;

/** Of IANA; of Linux, Flannel and Cilium by default; of the Generic Protocol Extension. */
const PORT = 4789;
const PORT_LINUX = 8472;
const PORT_GPE = 4790;

const VALID_ID = 0x08;
const GROUP_POLICY = 0x80;
const NEXT_PROTOCOL = 0x04;

/** By the Generic Protocol Extension's next protocol: IPv4, IPv6, Ethernet, none (NSH is not decoded), MPLS. */
const GPE_NEXT = [
  NEXT_NONE,
  SPACE.etherType + ETHER_TYPE.ipv4,
  SPACE.etherType + ETHER_TYPE.ipv6,
  SELECT_ETHERNET,
  NEXT_NONE,
  SPACE.etherType + ETHER_TYPE.mpls,
];

/**
 * RFC 7348, with the group policy extension (draft-smith-vxlan-group-policy) and the generic protocol extension
 * (draft-ietf-nvo3-vxlan-gpe). A header without a valid network identifier, or with other flags, is not VXLAN.
 */
export const vxlan = {
  name: 'vxlan',
  title: 'VXLAN',
  udpPorts: [PORT, PORT_LINUX, PORT_GPE],
  decode(packet) {
    const { bytes, cursor } = packet;
    if (packet.payloadCaptured < HEADER) return packet.decline();
    const flags = u8(bytes, cursor);
    if (packet.destinationPort === PORT_GPE && (flags & NEXT_PROTOCOL) !== 0) {
      packet.cursor = cursor + HEADER;
      packet.next = GPE_NEXT[u8(bytes, cursor + 3)] ?? NEXT_NONE;
      return;
    }
    if ((flags & ~GROUP_POLICY) !== VALID_ID) return packet.decline();
    if (flags === VALID_ID && (u8(bytes, cursor + 1) | u16(bytes, cursor + 2)) !== 0) return packet.decline();
    packet.cursor = cursor + HEADER;
    packet.next = SELECT_ETHERNET;
  },
} as const satisfies Layer;
