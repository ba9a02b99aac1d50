/**
 * The same octets as a plain Uint8Array. V8 compiles the readers of packets for the classes they have met: a Buffer among
 * Uint8Arrays makes every one of them slower from then on.
 */
export function plainOctets(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The octets of all parts in order, as a new plain Uint8Array. */
export function joinedOctets(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
