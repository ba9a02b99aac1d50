/** Classic pcap, little-endian with nanoseconds (draft-ietf-opsawg-pcap). */
const MAGIC_NANOSECONDS = 0xa1b23c4d;

/** Bytes in front of a packet's data. */
export const PCAP_RECORD_BYTES = 16;

export function pcapFileHeader(linkType: number, snaplen: number): Uint8Array {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt32LE(MAGIC_NANOSECONDS, 0);
  bytes.writeUInt16LE(2, 4);
  bytes.writeUInt16LE(4, 6);
  bytes.writeUInt32LE(snaplen, 16);
  bytes.writeUInt32LE(linkType, 20);
  return bytes;
}

/**
 * Write a record's header into `target`, which holds PCAP_RECORD_BYTES.
 * @param timeHigh upper 32 bits of nanoseconds since 1970, `timeLow` the lower ones
 */
export function writePcapRecordHeader(
  target: DataView,
  timeHigh: number,
  timeLow: number,
  caplen: number,
  origlen: number,
): void {
  // The division of a 64-bit number by 10⁹ in two steps, each exact in a double.
  const upper = (timeHigh >>> 16) * 4_294_967_296;
  const rest = (upper % 1e9) * 65_536 + (timeHigh & 0xffff) * 4_294_967_296 + timeLow;
  const seconds = Math.floor(upper / 1e9) * 65_536 + Math.floor(rest / 1e9);
  target.setUint32(0, seconds, true);
  target.setUint32(4, rest % 1e9, true);
  target.setUint32(8, caplen, true);
  target.setUint32(12, origlen, true);
}
