/** Bytes of an endless stream; each is a function of its offset. */
export function countedBytes(from: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let index = 0; index < length; index += 1) {
    const at = from + index;
    bytes[index] = (Math.imul(at, 2_654_435_761) >>> 24) ^ (at & 0xff);
  }
  return bytes;
}
