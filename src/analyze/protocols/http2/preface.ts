import { i32, u8 } from '../../bytes.ts';
import type { Likeness } from '../protocol.ts';
import { headersLikeness } from './frame-search.ts';

/** What a client says first (RFC 9113, section 3.4). */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** Settings there are (IANA, "HTTP/2 Settings"), with room for a few more. */
const SETTING_MAXIMUM = 0x20;
const SETTINGS_LENGTH = 6 * 16;

/** Whether the octets are those of the preface from `offset` of it on. */
export function prefaceAt(bytes: Uint8Array, start: number, end: number, offset: number): boolean {
  for (let at = start; at < end; at += 1) if (u8(bytes, at) !== PREFACE.charCodeAt(offset + at - start)) return false;
  return true;
}

/** A client's preface, a server's first SETTINGS, or, of a connection under way, HEADERS that begin as most do. */
export function http2Likeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const available = end - start;
  if (u8(bytes, start) === PREFACE.charCodeAt(0)) {
    const compared = Math.min(available, PREFACE.length);
    if (!prefaceAt(bytes, start, start + compared, 0)) return 'no';
    return compared < PREFACE.length ? 'more' : 'client';
  }
  if (u8(bytes, start) !== 0) return 'no';
  if (available < 9)
    return available < 4 || u8(bytes, start + 3) === 4
      ? available < 2 || u8(bytes, start + 1) === 0
        ? 'more'
        : 'no'
      : 'no';
  const length = i32(bytes, start) >>> 8;
  const midway = headersLikeness(bytes, start, end);
  if (midway !== undefined) return midway;
  const isSettings = u8(bytes, start + 3) === 4 && u8(bytes, start + 4) === 0 && i32(bytes, start + 5) === 0;
  if (!isSettings || length % 6 !== 0 || length > SETTINGS_LENGTH) return 'no';
  if (available < 9 + length) return 'more';
  for (let at = start + 9; at < start + 9 + length; at += 6) {
    const setting = (u8(bytes, at) << 8) | u8(bytes, at + 1);
    if (setting === 0 || setting > SETTING_MAXIMUM) return 'no';
  }
  // Empty settings alone are little proof: nine octets nearly all zero. The client's preface will tell.
  if (length > 0) return 'server';
  return available === 9 ? 'more' : 'no';
}
