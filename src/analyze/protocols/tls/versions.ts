/** Values of RFC 8701 that stand for nothing: both bytes alike, 0x0a below. */
export function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >>> 8 === (value & 0xff);
}

/** TLS's versions on the wire (RFC 8446 section 4.1.2). */
export const VERSION = { ssl2: 0x0002, ssl3: 0x0300, tls10: 0x0301, tls12: 0x0303, tls13: 0x0304 } as const;

const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0002, 'SSL2.0'],
  [0x0300, 'SSL3.0'],
  [0x0301, 'TLS1.0'],
  [0x0302, 'TLS1.1'],
  [0x0303, 'TLS1.2'],
  [0x0304, 'TLS1.3'],
]);

/** `TLS1.3`, `TLS1.3-draft23`, `0x7e02` for one that has no name. */
export function versionName(version: number): string {
  const name = VERSIONS.get(version);
  if (name !== undefined) return name;
  return version >>> 8 === 0x7f ? `TLS1.3-draft${version & 0xff}` : hex(version);
}

/** Whether the handshake is TLS 1.3's: encrypted from the ServerHello on. */
export function isTls13(version: number): boolean {
  return version === VERSION.tls13 || version >>> 8 === 0x7f || version >>> 8 === 0x7e || version >>> 8 === 0xfb;
}

/** Four hexadecimal digits: `0x1301`. */
export function hex(value: number): string {
  return `0x${value.toString(16).padStart(4, '0')}`;
}
