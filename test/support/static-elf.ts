/**
 * The head of a 64-bit little-endian ELF file for x86_64 (ELF-64 object file format).
 * @param types of its program headers; 3 names a loader
 */
export function staticElf(...types: readonly number[]): Buffer {
  const headers = types.length === 0 ? [1] : types;
  const file = Buffer.alloc(64 + headers.length * 56);
  file.write('\u007fELF', 'latin1');
  file.set([2, 1, 1], 4);
  file.writeUInt16LE(62, 18);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(headers.length, 56);
  for (const [index, type] of headers.entries()) file.writeUInt32LE(type, 64 + index * 56);
  return file;
}
