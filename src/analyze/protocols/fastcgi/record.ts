import { i32, u8, u16 } from '../../bytes.ts';
import { latin1 } from '../../record/text.ts';
import type { Likeness } from '../protocol.ts';

/** Bytes of a record's header (FastCGI specification 1.0, section 3.3). */
export const RECORD_HEADER = 8;
/** Bytes that show that a request begins: the record that begins it. */
export const BEGIN_LENGTH = 16;

export const TYPE = { begin: 1, abort: 2, end: 3, params: 4, stdin: 5, stdout: 6, stderr: 7 } as const;
const TYPE_MAXIMUM = 11;
const ROLE_MAXIMUM = 3;
const STATUS_MAXIMUM = 3;

/** A response's first header field. */
const HEADER_LINE = /^[A-Za-z][A-Za-z0-9-]{1,40}: ?[\x20-\x7e]/;

/** The whole record's length; 0 for what is none. */
export function recordLength(bytes: Uint8Array, start: number): number {
  const type = u8(bytes, start + 1);
  if (u8(bytes, start) !== 1 || type === 0 || type > TYPE_MAXIMUM) return 0;
  return RECORD_HEADER + u16(bytes, start + 4) + u8(bytes, start + 6);
}

/** Whether a request begins here: BEGIN_LENGTH bytes. */
export function requestBegins(bytes: Uint8Array, start: number): boolean {
  const role = u16(bytes, start + 8);
  return (
    u16(bytes, start) === 0x0101 &&
    u16(bytes, start + 2) > 0 &&
    u16(bytes, start + 4) === 8 &&
    u8(bytes, start + 7) === 0 &&
    role > 0 &&
    role <= ROLE_MAXIMUM &&
    u8(bytes, start + 10) <= 1 &&
    u8(bytes, start + 11) === 0 &&
    i32(bytes, start + 12) === 0
  );
}

/** Whether a request ends here: BEGIN_LENGTH bytes. */
export function requestEnds(bytes: Uint8Array, start: number): boolean {
  return (
    u16(bytes, start) === 0x0103 &&
    u16(bytes, start + 2) > 0 &&
    u16(bytes, start + 4) === 8 &&
    u8(bytes, start + 12) <= STATUS_MAXIMUM &&
    u8(bytes, start + 13) === 0 &&
    u16(bytes, start + 14) === 0
  );
}

/** Whether a client's first bytes begin a request, or a server's begin an answer. */
export function fastcgiLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  if (u8(bytes, start) !== 1) return 'no';
  if (end - start < 2) return 'more';
  const type = u8(bytes, start + 1);
  if (type !== TYPE.begin && type !== TYPE.end && type !== TYPE.stdout) return 'no';
  if (end - start < BEGIN_LENGTH) {
    const isFixed = type !== TYPE.stdout && end - start >= 6;
    return isFixed && u16(bytes, start + 4) !== 8 ? 'no' : 'more';
  }
  if (type === TYPE.begin) return requestBegins(bytes, start) ? 'client' : 'no';
  if (type === TYPE.end) return requestEnds(bytes, start) && u16(bytes, start + 8) === 0 ? 'server' : 'no';
  const length = u16(bytes, start + 4);
  if (u16(bytes, start + 2) === 0 || length < RECORD_HEADER || u8(bytes, start + 7) !== 0) return 'no';
  const text = latin1(bytes, start + RECORD_HEADER, Math.min(end, start + RECORD_HEADER + Math.min(length, 64)));
  return HEADER_LINE.test(text) ? 'server' : text.length < 44 && /^[A-Za-z][A-Za-z0-9-]*$/.test(text) ? 'more' : 'no';
}
