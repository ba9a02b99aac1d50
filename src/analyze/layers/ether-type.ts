/** EtherTypes (IANA, "IEEE 802 Numbers") that layers use. */
export const ETHER_TYPE = {
  ipv4: 0x0800,
  arp: 0x0806,
  vlan: 0x8100,
  serviceVlan: 0x88a8,
  /** Transparent Ethernet bridging: a whole Ethernet frame follows (RFC 1701). */
  bridged: 0x6558,
  ipv6: 0x86dd,
  ppp: 0x880b,
  mpls: 0x8847,
  mplsUpstream: 0x8848,
  pppoe: 0x8864,
  erspan: 0x88be,
  erspan3: 0x22eb,
} as const;
