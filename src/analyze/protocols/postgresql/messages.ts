import { i32, u8 } from '../../bytes.ts';
import { utf8 } from '../../record/text.ts';

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

/** The rows in a command's tag: `SELECT 5`, `INSERT 0 1`; undefined for others. */
export function rowsOf(tag: string): number | undefined {
  const count = /^(?:SELECT|INSERT \d+|UPDATE|DELETE|MERGE|FETCH|MOVE|COPY) (\d+)$/.exec(tag)?.[1];
  return count === undefined ? undefined : Number(count);
}

/** The length of a message behind the startup, its type included; 0 when it is invalid. */
export function typedLength(bytes: Uint8Array, start: number): number {
  const length = i32(bytes, start + 1);
  return length >= 4 && length <= MESSAGE_MAXIMUM ? 1 + length : 0;
}
