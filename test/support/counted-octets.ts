/** Octets of an endless stream that says at every place where it is: each is a function of its offset. */
export function countedOctets(from: number, length: number): Buffer {
  const octets = Buffer.allocUnsafe(length);
  for (let index = 0; index < length; index += 1) {
    const at = from + index;
    octets[index] = (Math.imul(at, 2_654_435_761) >>> 24) ^ (at & 0xff);
  }
  return octets;
}
