import { u16 } from '../../bytes.ts';

/** Extensions that are read (IANA, "TLS ExtensionType Values"). */
export const EXTENSION = {
  serverName: 0,
  signatureAlgorithms: 13,
  alpn: 16,
  encryptThenMac: 22,
  preSharedKey: 41,
  earlyData: 42,
  supportedVersions: 43,
  encryptedClientHello: 0xfe0d,
} as const;

/**
 * Walk the extensions of a hello from `start` to `end`.
 * @param take is given each one's type and where its content lies
 * @returns whether their lengths fit (RFC 8446 section 4.2)
 */
export function eachExtension(
  bytes: Uint8Array,
  start: number,
  end: number,
  take: (type: number, start: number, end: number) => void,
): boolean {
  let at = start;
  while (at + 4 <= end) {
    const next = at + 4 + u16(bytes, at + 2);
    if (next > end) return false;
    take(u16(bytes, at), at + 4, next);
    at = next;
  }
  return at === end;
}
