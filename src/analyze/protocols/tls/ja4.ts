import { createHash } from 'node:crypto';
import type { ClientHello } from './client-hello.ts';
import { EXTENSION } from './extensions.ts';

const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x0304, '13'],
  [0x0303, '12'],
  [0x0302, '11'],
  [0x0301, '10'],
  [0x0300, 's3'],
  [0x0002, 's2'],
]);

/** In place of the hash of an empty list. */
const NOTHING = '000000000000';

/**
 * A client's fingerprint (FoxIO's specification of JA4): `t13d1516h2_8daaf6152771_e5627efa2ab1`.
 * @param transport `t` for TLS on TCP, `q` for QUIC
 */
export function ja4(hello: ClientHello, transport: 't' | 'q'): string {
  const version = hello.supportedVersions.length > 0 ? Math.max(...hello.supportedVersions) : hello.version;
  const ciphers = hello.ciphers.map(digits).sort().join();
  const kept = hello.extensions.filter((type) => type !== EXTENSION.serverName && type !== EXTENSION.alpn);
  const extensions = kept.map(digits).sort().join();
  const algorithms = hello.signatureAlgorithms.map(digits).join();
  const counts = count(hello.ciphers) + count(hello.extensions);
  const a = `${transport}${VERSIONS.get(version) ?? '00'}${hello.hasServerName ? 'd' : 'i'}${counts}${ends(hello.alpn)}`;
  return `${a}_${hash(ciphers)}_${kept.length === 0 ? NOTHING : hash(algorithms ? `${extensions}_${algorithms}` : extensions)}`;
}

/** First and last character of the first protocol offered, or of its hexadecimal form. */
function ends(alpn: readonly string[]): string {
  const name = alpn.find(
    (offered) => !/^([\x0a\x1a\x2a\x3a\x4a\x5a\x6a\x7a\x8a\x9a\xaa\xba\xca\xda\xea\xfa])\1$/.test(offered),
  );
  if (!name) return '00';
  const first = name.charAt(0);
  const last = name.charAt(name.length - 1);
  if (/^[0-9A-Za-z]{2}$/.test(first + last)) return first + last;
  const digits = Buffer.from(first + last, 'latin1').toString('hex');
  return digits.charAt(0) + digits.charAt(3);
}

function count(list: readonly number[]): string {
  return String(Math.min(99, list.length)).padStart(2, '0');
}

function digits(value: number): string {
  return value.toString(16).padStart(4, '0');
}

function hash(text: string): string {
  return text === '' ? NOTHING : createHash('sha256').update(text).digest('hex').slice(0, 12);
}
