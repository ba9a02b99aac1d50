/**
 * The numbers of pcapng (draft-ietf-opsawg-pcapng). ksnoop writes little-endian sections with nanosecond
 * timestamps; it reads any.
 */
export const BLOCK = {
  sectionHeader: 0x0a0d0d0a,
  interfaceDescription: 1,
  simplePacket: 3,
  nameResolution: 4,
  interfaceStatistics: 5,
  enhancedPacket: 6,
  decryptionSecrets: 10,
  /** Local use (bit 31 set): behind a ksnoop section's header and first interface. Wireshark skips it silently. */
  ksnoopStart: 0x80004b42,
  /** Local use: the last block of a complete ksnoop stream. Wireshark skips it silently. */
  ksnoopEnd: 0x80004b53,
  /** Local use: the kernel's counters and sockets of a network namespace at one time (network-state.ts). */
  ksnoopState: 0x80004b54,
  /** Local use: names of the addresses of one of several clusters (capture-cluster.ts). */
  ksnoopNames: 0x80004b55,
  /** Local use: what an analysis beside the agent found (found-block.ts). */
  ksnoopFound: 0x80004b56,
  /** Local use, between agent and client only: several found blocks, compressed (found-block.ts). */
  ksnoopFoundBatch: 0x80004b57,
} as const;

export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

export const OPTION = {
  end: 0,
  comment: 1,
  shbHardware: 2,
  shbOs: 3,
  shbUserAppl: 4,
  ifName: 2,
  ifDescription: 3,
  ifTsresol: 9,
  ifFilter: 11,
  ifOs: 12,
  epbFlags: 2,
  epbDropCount: 4,
  isbStartTime: 2,
  isbEndTime: 3,
  isbIfRecv: 4,
  isbIfDrop: 5,
  isbFilterAccept: 6,
  isbOsDrop: 7,
  isbUsrDeliv: 8,
} as const;

export const NAME_RECORD = { end: 0, ipv4: 1, ipv6: 2 } as const;

/** Whether a block of a type shows how far its interface has come: statistics and states are taken aside from the packets. */
export function showsProgress(type: number): boolean {
  return type === BLOCK.enhancedPacket || type === BLOCK.ksnoopFound;
}

/** Bytes of an Enhanced Packet Block before its packet data. */
export const EPB_HEADER_BYTES = 28;

/** epb_flags (section 4.3.1): bits 0-1 direction, bits 2-4 how it was received. */
export const EPB_FLAG = {
  inbound: 1,
  outbound: 2,
  unicast: 1 << 2,
  multicast: 2 << 2,
  broadcast: 3 << 2,
  promiscuous: 4 << 2,
} as const;

/** pcapng pads options and packet data to 32 bits. */
export function padded(bytes: number): number {
  return (bytes + 3) & ~3;
}
