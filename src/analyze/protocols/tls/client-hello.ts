import { u8, u16 } from '../../bytes.ts';
import { TEXT_MAXIMUM } from '../../limits.ts';
import { latin1 } from '../../record/text.ts';
import { EXTENSION, eachExtension } from './extensions.ts';
import { isGrease } from './versions.ts';

/** Fields of a ClientHello (RFC 8446 section 4.1.2); numbers as on the wire, GREASE left out. */
export interface ClientHello {
  /** legacy_version. */
  readonly version: number;
  /** Whether the server name extension is there, and the host name in it (RFC 6066). */
  readonly hasServerName: boolean;
  readonly sni: string | undefined;
  /** Protocols offered (RFC 7301), the preferred first. */
  readonly alpn: readonly string[];
  /** supported_versions; empty without the extension. */
  readonly supportedVersions: readonly number[];
  readonly earlyData: boolean;
  /** Encrypted ClientHello: the server name seen is the outer one. */
  readonly encryptedHello: boolean;
  readonly ciphers: readonly number[];
  /** Types, in their order. */
  readonly extensions: readonly number[];
  readonly signatureAlgorithms: readonly number[];
}

/** Protocols kept of those that a client offers. */
const ALPN_MAXIMUM = 32;

/**
 * Read a ClientHello, from the byte behind the handshake header to its end.
 * @returns undefined when it is invalid
 */
export function readClientHello(bytes: Uint8Array, start: number, end: number): ClientHello | undefined {
  // legacy_version, random, legacy_session_id.
  if (end - start < 35 || u8(bytes, start) !== 3) return undefined;
  const version = u16(bytes, start);
  const sessionLength = u8(bytes, start + 34);
  let at = start + 35 + sessionLength;
  if (sessionLength > 32 || at + 2 > end) return undefined;
  const ciphersEnd = at + 2 + u16(bytes, at);
  if (ciphersEnd >= end || (ciphersEnd - at) % 2 !== 0) return undefined;
  const ciphers = list16(bytes, at + 2, ciphersEnd);
  at = ciphersEnd + 1 + u8(bytes, ciphersEnd);
  if (at > end || u8(bytes, ciphersEnd) === 0) return undefined;
  const hello = {
    version,
    hasServerName: false,
    sni: undefined as string | undefined,
    alpn: [] as readonly string[],
    supportedVersions: [] as readonly number[],
    earlyData: false,
    encryptedHello: false,
    ciphers,
    extensions: [] as number[],
    signatureAlgorithms: [] as readonly number[],
  };
  // SSL 3.0, and TLS 1.0 without extensions, end here.
  if (at === end) return hello;
  if (at + 2 > end || at + 2 + u16(bytes, at) !== end) return undefined;
  const fits = eachExtension(bytes, at + 2, end, (type, from, to) => {
    if (!isGrease(type)) hello.extensions.push(type);
    if (type === EXTENSION.serverName) {
      hello.hasServerName = true;
      hello.sni = hostName(bytes, from, to);
    } else if (type === EXTENSION.alpn) hello.alpn = protocolNames(bytes, from, to);
    else if (type === EXTENSION.supportedVersions && to > from) {
      hello.supportedVersions = list16(bytes, from + 1, Math.min(to, from + 1 + u8(bytes, from)));
    } else if (type === EXTENSION.signatureAlgorithms && to - from >= 2) {
      hello.signatureAlgorithms = list16(bytes, from + 2, Math.min(to, from + 2 + u16(bytes, from)));
    } else if (type === EXTENSION.earlyData) hello.earlyData = true;
    else if (type === EXTENSION.encryptedClientHello) hello.encryptedHello = true;
  });
  return fits ? hello : undefined;
}

/** The names in an ALPN extension's content. */
export function protocolNames(bytes: Uint8Array, start: number, end: number): string[] {
  const names: string[] = [];
  for (let at = start + 2; at < end && names.length < ALPN_MAXIMUM; ) {
    const next = at + 1 + u8(bytes, at);
    if (next > end) break;
    names.push(latin1(bytes, at + 1, next));
    at = next;
  }
  return names;
}

function hostName(bytes: Uint8Array, start: number, end: number): string | undefined {
  for (let at = start + 2; at + 3 <= end; ) {
    const next = at + 3 + u16(bytes, at + 1);
    if (next > end) return undefined;
    if (u8(bytes, at) === 0) return latin1(bytes, at + 3, Math.min(next, at + 3 + TEXT_MAXIMUM));
    at = next;
  }
  return undefined;
}

function list16(bytes: Uint8Array, start: number, end: number): number[] {
  const list: number[] = [];
  for (let at = start; at + 2 <= end; at += 2) {
    const value = u16(bytes, at);
    if (!isGrease(value)) list.push(value);
  }
  return list;
}
