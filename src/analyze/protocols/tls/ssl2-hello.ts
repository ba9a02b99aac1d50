import { u8, u16 } from '../../bytes.ts';
import type { ClientHello } from './client-hello.ts';

/** Bytes of such a hello before its lists. */
const LISTS_AT = 11;

/** Length of an SSL 2.0 record by its first two bytes, these included; 0 when they are not a ClientHello's. */
export function ssl2Length(bytes: Uint8Array, at: number): number {
  const length = u16(bytes, at) & 0x7fff;
  return (u8(bytes, at) & 0x80) !== 0 && length >= 28 && length <= 2048 ? length + 2 : 0;
}

/**
 * Read a ClientHello in SSL 2.0's form that offers SSL 3.0 or TLS (RFC 5246 appendix E.2), record header included.
 * @returns undefined when it is invalid
 */
export function readSsl2Hello(bytes: Uint8Array, start: number, end: number): ClientHello | undefined {
  if (!isSsl2Hello(bytes, start, end)) return undefined;
  const ciphers: number[] = [];
  const ciphersEnd = start + LISTS_AT + u16(bytes, start + 5);
  for (let at = start + LISTS_AT; at + 3 <= ciphersEnd; at += 3) {
    // SSL 2.0's own have another first byte.
    if (u8(bytes, at) === 0) ciphers.push(u16(bytes, at + 1));
  }
  return {
    version: u16(bytes, start + 3),
    hasServerName: false,
    sni: undefined,
    alpn: [],
    supportedVersions: [],
    earlyData: false,
    encryptedHello: false,
    ciphers,
    extensions: [],
    signatureAlgorithms: [],
  };
}

/** Whether the lengths of it fit; looks at its first LISTS_AT bytes only. */
export function isSsl2Hello(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < LISTS_AT) return false;
  const length = ssl2Length(bytes, start);
  const ciphers = u16(bytes, start + 5);
  const session = u16(bytes, start + 7);
  const challenge = u16(bytes, start + 9);
  if (length === 0 || u8(bytes, start + 2) !== 1 || u8(bytes, start + 3) !== 3 || u8(bytes, start + 4) > 3)
    return false;
  if (ciphers === 0 || ciphers % 3 !== 0 || challenge < 16 || challenge > 32) return false;
  return LISTS_AT + ciphers + session + challenge === length;
}
