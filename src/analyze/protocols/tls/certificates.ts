import { X509Certificate } from 'node:crypto';
import { u8, u16 } from '../../bytes.ts';
import { TEXT_MAXIMUM } from '../../limits.ts';
import type { Fields } from '../../record/event.ts';

/** Certificates of a chain that are reported, and names of one. */
const CHAIN_MAXIMUM = 8;
const NAMES_MAXIMUM = 64;

/** Certificates of a chain, and how many there were. */
export interface Chain {
  readonly count: number;
  readonly certificates: readonly Fields[];
}

/**
 * The chain in a Certificate message of TLS <= 1.2 (RFC 5246 section 7.4.2), from behind the handshake header.
 * @param detail read the whole chain, not only the certificate of the peer itself, which findings need
 */
export function readCertificates(bytes: Uint8Array, start: number, end: number, detail: boolean): Chain {
  return readChain(bytes, start + 3, end, detail, false);
}

/** The same of TLS 1.3 (RFC 8446 section 4.4.2), decrypted: a context precedes the chain, extensions follow each. */
export function readTls13Certificates(bytes: Uint8Array, start: number, end: number, detail: boolean): Chain {
  return start < end
    ? readChain(bytes, start + 4 + u8(bytes, start), end, detail, true)
    : { count: 0, certificates: [] };
}

function readChain(bytes: Uint8Array, start: number, end: number, detail: boolean, hasExtensions: boolean): Chain {
  const certificates: Fields[] = [];
  let count = 0;
  for (let at = start; at + 3 <= end; count += 1) {
    const next = at + 3 + u8(bytes, at) * 0x10000 + u16(bytes, at + 1);
    if (next > end) break;
    if (certificates.length < (detail ? CHAIN_MAXIMUM : 1))
      certificates.push(readCertificate(bytes.subarray(at + 3, next)));
    at = hasExtensions && next + 2 <= end ? next + 2 + u16(bytes, next) : next;
  }
  return { count, certificates };
}

/** A certificate in DER: its names and when it is valid (RFC 3339); empty for an invalid one. */
function readCertificate(der: Uint8Array): Fields {
  try {
    const { subject, issuer, validFromDate, validToDate, subjectAltName, serialNumber } = new X509Certificate(der);
    return {
      subject: oneLine(subject),
      issuer: oneLine(issuer),
      notBefore: timeText(validFromDate),
      notAfter: timeText(validToDate),
      names: alternativeNames(subjectAltName),
      serial: serialNumber.toLowerCase().slice(0, TEXT_MAXIMUM),
    };
  } catch {
    return {};
  }
}

function timeText(date: Date): string | undefined {
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString().replace('.000Z', 'Z');
}

/** Node gives a name's parts in lines, and undefined for an empty name. */
function oneLine(name: string | undefined): string {
  return (name ?? '').trim().replaceAll('\n', ', ').slice(0, TEXT_MAXIMUM);
}

/** `DNS:a.example, IP Address:10.0.0.1` without the kinds; a name with unusual characters stands in quotes. */
function alternativeNames(text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  const names: string[] = [];
  for (const [, quoted, plain] of text.matchAll(
    /(?:^|, )[A-Za-z ]+:(?:("(?:[^"\\]|\\.)*")|((?:(?!, [A-Za-z ]+:).)*))/gs,
  )) {
    if (names.length >= NAMES_MAXIMUM) break;
    names.push((quoted === undefined ? (plain ?? '') : unquoted(quoted)).slice(0, TEXT_MAXIMUM));
  }
  return names;
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}
