import { SPACE } from './layers/layer.ts';

/** Names of what ksnoop does not decode (IANA, "Protocol Numbers" and "IEEE 802 Numbers"; tcpdump.org/linktypes). */

const IP_PROTOCOLS: Readonly<Record<number, string>> = {
  2: 'IGMP',
  4: 'IPv4 in IP',
  41: 'IPv6 in IP',
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
  136: 'UDP-Lite',
  137: 'MPLS in IP',
};

const ETHER_TYPES: Readonly<Record<number, string>> = {
  25944: 'transparent Ethernet bridging',
  34825: 'LACP',
  34887: 'MPLS',
  34888: 'MPLS multicast',
  34915: 'PPPoE discovery',
  34916: 'PPPoE',
  34958: 'EAPOL',
  35020: 'LLDP',
  35045: 'MACsec',
  35063: 'PTP',
};

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
