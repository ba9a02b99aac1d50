/** Link-layer header types that have a name here (LINKTYPE_ values, tcpdump.org/linktypes). */
export const LINK_TYPE = {
  null: 0,
  ethernet: 1,
  raw: 101,
  loop: 108,
  linuxSll: 113,
  ipv4: 228,
  ipv6: 229,
  nflog: 239,
  linuxSll2: 276,
} as const;

/** DLT_RAW is 12 in a savefile of some platforms, 14 on OpenBSD; LINKTYPE_RAW is 101 (pcap-linktype(7)). */
export function normalLinkType(linkType: number): number {
  return linkType === 12 || linkType === 14 ? LINK_TYPE.raw : linkType;
}
