import { u8, u16 } from '../../bytes.ts';
import { protocolNames } from './client-hello.ts';
import { EXTENSION, eachExtension } from './extensions.ts';
import { isTls13 } from './versions.ts';

/** Fields of a ServerHello (RFC 8446 section 4.1.3). */
export interface ServerHello {
  /** The version agreed on: supported_versions, else legacy_version. */
  readonly version: number;
  readonly cipher: number;
  /** The protocol agreed on; in TLS 1.3 it is encrypted elsewhere. */
  readonly alpn: string | undefined;
  /** It asks for another ClientHello. */
  readonly retry: boolean;
  /** TLS 1.2 with CBC: the MAC covers what is encrypted (RFC 7366). */
  readonly encryptThenMac: boolean;
  /** TLS 1.3: an earlier session's key is used. */
  readonly preSharedKey: boolean;
}

/** random of a HelloRetryRequest: SHA-256 of that word. */
const RETRY_RANDOM = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');

/**
 * Read a ServerHello, from the byte behind the handshake header to its end.
 * @returns undefined when it is invalid
 */
export function readServerHello(bytes: Uint8Array, start: number, end: number): ServerHello | undefined {
  if (end - start < 34) return undefined;
  let version = u16(bytes, start);
  if (version >>> 8 !== 3 && !isTls13(version)) return undefined;
  let at = start + 34;
  // Until draft 21, TLS 1.3's had neither session id nor compression.
  const short = isTls13(version);
  if (!short) {
    if (at >= end || u8(bytes, at) > 32) return undefined;
    at += 1 + u8(bytes, at);
  }
  if (at + 2 > end) return undefined;
  const cipher = u16(bytes, at);
  at += short ? 2 : 3;
  if (at > end) return undefined;
  let alpn: string | undefined;
  let preSharedKey = false;
  let encryptThenMac = false;
  if (at < end) {
    if (at + 2 > end || at + 2 + u16(bytes, at) !== end) return undefined;
    const fits = eachExtension(bytes, at + 2, end, (type, from, to) => {
      if (type === EXTENSION.supportedVersions && to - from === 2) version = u16(bytes, from);
      else if (type === EXTENSION.alpn) alpn = protocolNames(bytes, from, to)[0];
      else if (type === EXTENSION.preSharedKey) preSharedKey = true;
      else if (type === EXTENSION.encryptThenMac) encryptThenMac = true;
    });
    if (!fits) return undefined;
  }
  return { version, cipher, alpn, retry: isRetry(bytes, start + 2), preSharedKey, encryptThenMac };
}

function isRetry(bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < 32; index += 1) if (bytes[at + index] !== RETRY_RANDOM[index]) return false;
  return true;
}
