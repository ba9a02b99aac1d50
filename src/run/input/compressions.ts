/** Bytes that identify a compression. */
export const MAGIC_BYTES = 4;

/**
 * Every compression captures come in: a new one is a line here. Node reads gzip and zstd. For the others no library is
 * small, typed and maintained at once; where the machine has their program, that reads them.
 */
const COMPRESSIONS = [
  // RFC 1952, section 2.3.1.
  { name: 'gzip', by: 'node', magic: [0x1f, 0x8b] },
  // RFC 8878, section 3.1.1.
  { name: 'zstd', by: 'node', magic: [0x28, 0xb5, 0x2f, 0xfd] },
  // The .xz File Format 1.2.1, section 2.1.1.1.
  { name: 'xz', by: 'program', magic: [0xfd, 0x37, 0x7a, 0x58] },
  { name: 'bzip2', by: 'program', magic: [0x42, 0x5a, 0x68] },
  // LZ4 Frame Format 1.6.4, "General Structure".
  { name: 'lz4', by: 'program', magic: [0x04, 0x22, 0x4d, 0x18] },
] as const;

export type FileCompression = (typeof COMPRESSIONS)[number];

/** The compression that a file's first bytes show; undefined for none. */
export function compressionOf(head: Uint8Array): FileCompression | undefined {
  return COMPRESSIONS.find(({ magic }) => magic.every((byte, index) => head[index] === byte));
}
