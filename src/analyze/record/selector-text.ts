import { i32, u8, u16 } from '../bytes.ts';
import { SPACE } from '../layers/layer.ts';

/** Names of what ksnoop does not decode (IANA, "Protocol Numbers" and "IEEE 802 Numbers"; tcpdump.org/linktypes). */

const IP_PROTOCOLS: Readonly<Record<number, string>> = {
  2: 'IGMP',
  4: 'IPv4 in IP',
  41: 'IPv6 in IP',
  33: 'DCCP',
  46: 'RSVP',
  47: 'GRE',
  50: 'ESP',
  88: 'EIGRP',
  89: 'OSPF',
  97: 'EtherIP',
  103: 'PIM',
  108: 'IPComp',
  112: 'VRRP',
  115: 'L2TP',
  113: 'PGM',
  135: 'Mobile IPv6',
  136: 'UDP-Lite',
  139: 'HIP',
  137: 'MPLS in IP',
};

const ETHER_TYPES: Readonly<Record<number, string>> = {
  2114: 'Wake-on-LAN',
  8192: 'CDP',
  8193: 'NHRP',
  8944: 'AVTP',
  8947: 'TRILL',
  25944: 'transparent Ethernet bridging',
  32923: 'AppleTalk',
  33011: 'AARP',
  33079: 'IPX',
  34824: 'Ethernet flow control',
  34825: 'LACP',
  34827: 'PPP',
  34878: 'WCCP',
  34887: 'MPLS',
  34888: 'MPLS multicast',
  34915: 'PPPoE discovery',
  34916: 'PPPoE',
  34958: 'EAPOL',
  35020: 'LLDP',
  35045: 'MACsec',
  35047: 'provider backbone bridging',
  35063: 'PTP',
  35074: 'CFM',
  35078: 'FCoE',
  35093: 'RoCE',
  35151: 'NSH',
  36864: 'Ethernet loopback',
};

/** LLC service access points (IEEE), by their destination. */
const ACCESS_POINTS: Readonly<Record<number, string>> = {
  66: 'STP',
  224: 'IPX',
  240: 'NetBIOS',
  254: 'IS-IS',
};

const SNAP = 0xaa;
const CISCO = 0x0000_0c;
const CISCO_TYPES: Readonly<Record<number, string>> = {
  267: 'PVST+',
  273: 'UDLD',
  8192: 'CDP',
  8195: 'VTP',
  8196: 'DTP',
};

/** What an LLC header names that is not decoded: `STP`, `CDP`; `LLC` for all else. @param end of what was captured */
export function llcText(bytes: Uint8Array, at: number, end: number): string {
  if (at + 3 > end) return 'LLC';
  const point = u8(bytes, at);
  const isCisco = point === SNAP && at + 8 <= end && (i32(bytes, at + 2) & 0xff_ffff) === CISCO;
  if (isCisco) return CISCO_TYPES[u16(bytes, at + 6)] ?? 'LLC';
  return ACCESS_POINTS[point] ?? 'LLC';
}

/** What a selector names: `GRE`, `ethertype 0x1234`, `IP protocol 200`, `link type 9`. */
export function selectorText(selector: number): string {
  if (selector >= SPACE.ipProtocol) {
    const protocol = selector - SPACE.ipProtocol;
    return IP_PROTOCOLS[protocol] ?? `IP protocol ${protocol}`;
  }
  if (selector >= SPACE.etherType) {
    const type = selector - SPACE.etherType;
    return ETHER_TYPES[type] ?? `ethertype 0x${type.toString(16).padStart(4, '0')}`;
  }
  return `link type ${selector - SPACE.linkType}`;
}
