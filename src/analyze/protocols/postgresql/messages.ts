import { i32, u8 } from '../../bytes.ts';
import { utf8 } from '../../record/text.ts';
import type { Likeness } from '../protocol.ts';

/** What takes the place of a protocol version in a first message (PostgreSQL documentation, "Message Formats"). */
export const REQUEST = {
  cancel: 80_877_102,
  ssl: 80_877_103,
  gssEncryption: 80_877_104,
} as const;

/** Longest first message that is believed; the server takes 10,000. */
export const STARTUP_MAXIMUM = 10_000;
/** Longest other message: PostgreSQL's own limit is 1 GiB. */
const MESSAGE_MAXIMUM = 2 ** 30;

const CLIENT_TYPES = 'BCDEFHPQSXcdfp';
const SERVER_TYPES = '123ACDEGHIKNRSTVWZcdnstv';

export function isClientType(byte: number): boolean {
  return byte > 0 && CLIENT_TYPES.includes(String.fromCharCode(byte));
}

export function isServerType(byte: number): boolean {
  return byte > 0 && SERVER_TYPES.includes(String.fromCharCode(byte));
}

/** Where a zero byte ends a text that starts at `start`; `end` when none does. */
export function textEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== 0) at += 1;
  return at;
}

/** The text that starts at `start`. */
export function textAt(bytes: Uint8Array, start: number, end: number): string {
  return utf8(bytes, start, textEnd(bytes, start, end));
}

/** Parameters of a startup message. @param start where they begin */
export function startupParameters(bytes: Uint8Array, start: number, end: number): { user: string; database: string } {
  const found = { user: '', database: '' };
  for (let at = start; at < end && bytes[at] !== 0; ) {
    const name = textAt(bytes, at, end);
    const value = textEnd(bytes, at, end) + 1;
    const text = textAt(bytes, value, end);
    at = textEnd(bytes, value, end) + 1;
    if (name === 'user') found.user = text;
    else if (name === 'database') found.database = text;
  }
  return { user: found.user, database: found.database === '' ? found.user : found.database };
}

/** The contents of an ErrorResponse. */
export interface SqlError {
  readonly sqlstate: string;
  readonly message: string;
  /** `ERROR`, `FATAL`, `PANIC`, perhaps in the server's language. */
  readonly severity: string;
}

/** The fields of an ErrorResponse that are shown. @param start behind the message's length */
export function errorFields(bytes: Uint8Array, start: number, end: number): SqlError {
  const found = { sqlstate: '', message: '', severity: '' };
  for (let at = start; at < end && bytes[at] !== 0; ) {
    const field = u8(bytes, at);
    const text = textAt(bytes, at + 1, end);
    if (field === 0x43) found.sqlstate = text;
    else if (field === 0x4d) found.message = text;
    else if (field === 0x56 || (field === 0x53 && found.severity === '')) found.severity = text;
    at = textEnd(bytes, at + 1, end) + 1;
  }
  return found;
}

/** The rows that a command's tag tells: `SELECT 5`, `INSERT 0 1`; undefined for others. */
export function rowsOf(tag: string): number | undefined {
  const count = /^(?:SELECT|INSERT \d+|UPDATE|DELETE|MERGE|FETCH|MOVE|COPY) (\d+)$/.exec(tag)?.[1];
  return count === undefined ? undefined : Number(count);
}

/** First messages by what stands for their version; others only where one lies exactly in the bytes. */
export function postgresqlLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const available = end - start;
  if (bytes[start] === 0) {
    if (available < 8) return bytes[start + 1] === 0 || available < 2 ? 'more' : 'no';
    const length = i32(bytes, start);
    const request = i32(bytes, start + 4);
    if (length === 8 && (request === REQUEST.ssl || request === REQUEST.gssEncryption)) return 'client';
    if (length === 16 && request === REQUEST.cancel) return 'client';
    return request >> 16 === 3 && length > 8 && length <= STARTUP_MAXIMUM && isText(bytes, start + 8, end)
      ? 'client'
      : 'no';
  }
  if (available < 6) return 'no';
  const length = i32(bytes, start + 1);
  const type = u8(bytes, start);
  // A query alone in a segment, its text ended by a zero byte.
  if (type === 0x51 && length === available - 1 && bytes[end - 1] === 0) {
    return length > 8 && isText(bytes, start + 5, end - 1) ? 'client' : 'no';
  }
  // Parse, Bind, … Sync; and answers that end with ReadyForQuery.
  if (type === 0x50 && endsWith(bytes, end, SYNC)) return framed(bytes, start, end, isClientType) ? 'client' : 'no';
  const ready = end - 6 >= start && endsWith(bytes, end - 1, READY);
  return ready && framed(bytes, start, end, isServerType) ? 'server' : 'no';
}

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

/** The length of a message behind the startup, its type included; 0 when it is none. */
export function typedLength(bytes: Uint8Array, start: number): number {
  const length = i32(bytes, start + 1);
  return length >= 4 && length <= MESSAGE_MAXIMUM ? 1 + length : 0;
}
