import { i32, u8 } from '../../bytes.ts';
import type { Likeness } from '../protocol.ts';
import { clientBegins } from './beginnings.ts';
import { isClientType, isServerType, REQUEST, STARTUP_MAXIMUM, textEnd } from './messages.ts';

/** First messages by what stands for their version; others only where one lies exactly in the bytes. */
export function postgresqlLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const available = end - start;
  if (bytes[start] === 0) {
    if (available < 8) return bytes[start + 1] === 0 || available < 2 ? 'more' : 'no';
    const length = i32(bytes, start);
    const request = i32(bytes, start + 4);
    if (length === 8 && (request === REQUEST.ssl || request === REQUEST.gssEncryption)) return 'client';
    if (length === 16 && request === REQUEST.cancel) return 'client';
    if (request >> 16 !== 3 || length <= 8 || length > STARTUP_MAXIMUM) return 'no';
    if (available === 8) return 'more';
    return isText(bytes, start + 8, end) ? 'client' : 'no';
  }
  if (available < 6) return 'no';
  const length = i32(bytes, start + 1);
  const type = u8(bytes, start);
  // A query alone in a segment, its text ended by a zero byte.
  if (type === QUERY && length === available - 1 && bytes[end - 1] === 0) {
    return length > 8 && isText(bytes, start + 5, end - 1) ? 'client' : 'no';
  }
  // A statement, or the first of several, longer than the segment.
  if (type === QUERY || type === PARSE) {
    if (clientBegins(bytes, start, end, false) === true) return isStatementText(bytes, start, end) ? 'client' : 'no';
  }
  // Parse or Bind, … Sync; and answers that end with ReadyForQuery.
  if ((type === PARSE || type === BIND) && endsWith(bytes, end, SYNC)) {
    return framed(bytes, start, end, isClientType) ? 'client' : 'no';
  }
  const ready = end - 6 >= start && endsWith(bytes, end - 1, READY);
  return ready && framed(bytes, start, end, isServerType) ? 'server' : 'no';
}

const QUERY = 0x51;
const PARSE = 0x50;
const BIND = 0x42;
const SYNC = [0x53, 0, 0, 0, 4];
const READY = [0x5a, 0, 0, 0, 5];

function endsWith(bytes: Uint8Array, end: number, expected: readonly number[]): boolean {
  return expected.every((byte, index) => bytes[end - expected.length + index] === byte);
}

/** Whether the bytes are messages of these types, one behind the other to the end. */
function framed(bytes: Uint8Array, start: number, end: number, isType: (byte: number) => boolean): boolean {
  let at = start;
  while (at + 5 <= end && isType(u8(bytes, at))) {
    const length = i32(bytes, at + 1);
    if (length < 4 || length > end - at) return false;
    at += 1 + length;
  }
  return at === end;
}

function isText(bytes: Uint8Array, start: number, end: number): boolean {
  const limit = Math.min(end, start + 64);
  for (let at = start; at < limit; at += 1) {
    const byte = u8(bytes, at);
    if (byte < 9 && byte !== 0) return false;
  }
  return u8(bytes, start) >= 9;
}

/** Whether the text of a query or of a Parse message is text as far as it is there. */
function isStatementText(bytes: Uint8Array, start: number, end: number): boolean {
  const text = u8(bytes, start) === QUERY ? start + 5 : textEnd(bytes, start + 5, end) + 1;
  const limit = Math.min(end, start + 1 + i32(bytes, start + 1), textEnd(bytes, text, end));
  for (let at = text; at < limit; at += 1) {
    const byte = u8(bytes, at);
    if (byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13) return false;
  }
  return limit > text;
}
