import { u8 } from '../../bytes.ts';
import { utf8 } from '../../record/text.ts';
import type { Likeness } from '../protocol.ts';
import { ANSWER, COMMAND, EOF_LENGTH, PACKET_FULL, PACKET_HEADER, u16le, u24le, zeroEnded } from './packets.ts';

/** Most bytes looked at to decide whether a packet begins. */
export const SEEK_BYTES = 32;
/** Bytes of a statement's beginning that are looked at. */
const STATEMENT_BYTES = 24;

const CODE = { query: 3, ping: 14, prepare: 22, execute: 23 } as const;

const STATEMENT =
  /^[\s(]*(?:\/\*|--|#|select|insert|update|delete|replace|set|show|begin|start|commit|rollback|create|drop|alter|use|call|with|explain|desc|truncate|grant|revoke|lock|unlock|load|prepare|execute|deallocate|analyze|optimize|flush|kill|savepoint|release|do|handler|xa|table|values)/i;

/** Bytes of a command's payload where all have as many. */
const FIXED: Readonly<Record<number, number>> = { 1: 1, 9: 1, 10: 1, 13: 1, 14: 1, 25: 5, 26: 5, 27: 3, 28: 9, 31: 1 };

/**
 * Whether a command begins here: one that shows so by itself (a statement, an execution), or at an expected place any.
 * Undefined where more bytes are needed.
 * @param expected the server had answered everything before this byte when it was sent
 */
export function commandBegins(bytes: Uint8Array, start: number, end: number, expected: boolean): boolean | undefined {
  if (end - start > 3 && bytes[start + 3] !== 0) return false;
  if (end - start < PACKET_HEADER + 1) return undefined;
  const length = u24le(bytes, start);
  const code = u8(bytes, start + 4);
  if (length < 1 || COMMAND[code] === undefined) return false;
  if (code === CODE.query || code === CODE.prepare) {
    if (length < 2) return false;
    if (expected) return true;
    const limit = start + Math.min(PACKET_HEADER + length, SEEK_BYTES);
    return end < limit ? undefined : isStatement(bytes, start + 5, limit);
  }
  if (code === CODE.execute) return executeBegins(bytes, start, end, length);
  return expected && (FIXED[code] ?? length) === length;
}

/** An execution: its flags are few, and it runs once ("COM_STMT_EXECUTE"). */
function executeBegins(bytes: Uint8Array, start: number, end: number, length: number): boolean | undefined {
  if (length < 10) return false;
  const rest = [u8(bytes, start + 9), u16le(bytes, start + 10), u16le(bytes, start + 12)] as const;
  if (end - start < 14) return undefined;
  return rest[0] < 16 && rest[1] === 1 && rest[2] === 0;
}

/**
 * Whether an answer begins here: one that shows so by itself (OK, an error, a result's columns), or at an expected place
 * any. Undefined where more bytes are needed.
 * @param expected the client had received everything before this byte when it sent a command
 */
export function answerBegins(bytes: Uint8Array, start: number, end: number, expected: boolean): boolean | undefined {
  if (end - start > 3 && bytes[start + 3] !== 1) return false;
  if (end - start < PACKET_HEADER + 1) return undefined;
  const length = u24le(bytes, start);
  if (length === 0 || length === PACKET_FULL) return false;
  const first = u8(bytes, start + 4);
  if (expected) return length < 10 || first === ANSWER.error || first === ANSWER.ok || first > 0x1f;
  if (first === ANSWER.error) return errorBegins(bytes, start, end, length);
  if (first === ANSWER.ok && length === 7) return okBegins(bytes, start, end);
  return length === 1 && first < 0xfb ? columnsBegin(bytes, start, end) : false;
}

/** An error with its SQLSTATE. */
function errorBegins(bytes: Uint8Array, start: number, end: number, length: number): boolean | undefined {
  if (length < 9) return false;
  if (end - start < 13) return undefined;
  return bytes[start + 7] === 0x23 && /^[0-9A-Z]{5}$/.test(utf8(bytes, start + 8, start + 13));
}

/** Nothing unusual: few rows, few warnings. */
function okBegins(bytes: Uint8Array, start: number, end: number): boolean | undefined {
  if (end - start < 11) return undefined;
  return u8(bytes, start + 5) < 0xfb && u8(bytes, start + 6) < 0xfb && u8(bytes, start + 10) === 0;
}

/** How many columns, and the first of them: its catalog is always `def`. */
function columnsBegin(bytes: Uint8Array, start: number, end: number): boolean | undefined {
  if (end - start < 13) return undefined;
  return u8(bytes, start + 8) === 2 && utf8(bytes, start + 9, start + 13) === '\x03def';
}

function isStatement(bytes: Uint8Array, start: number, end: number): boolean {
  return STATEMENT.test(utf8(bytes, start, Math.min(end, start + STATEMENT_BYTES)));
}

/** A server's greeting, or its refusal instead; a command at the beginning of a segment. */
export function mysqlLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const available = end - start;
  if (available < 5) {
    if (available >= 4 && u8(bytes, start + 3) !== 0) return 'no';
    return available < 3 || u8(bytes, start + 2) === 0 ? 'more' : 'no';
  }
  const length = u24le(bytes, start);
  if (u8(bytes, start + 3) !== 0 || length < 1) return 'no';
  const first = u8(bytes, start + 4);
  if (first === 10) return isGreeting(bytes, start, end, length) ? 'server' : 'no';
  if (first === ANSWER.error) return isRefusal(bytes, start, end, length);
  const isWhole = length === available - PACKET_HEADER;
  if (first === CODE.ping) return isWhole && length === 1 ? 'client' : 'no';
  if (first === CODE.execute) return isWhole && executeBegins(bytes, start, end, length) === true ? 'client' : 'no';
  if (first !== CODE.query && first !== CODE.prepare) return 'no';
  if (length < available - PACKET_HEADER || !isStatement(bytes, start + 5, end)) return 'no';
  // What is not whole has to be text as far as it goes.
  return isWhole || isText(bytes, start + 5, end) ? 'client' : 'no';
}

function isGreeting(bytes: Uint8Array, start: number, end: number, length: number): boolean {
  if (length < 40 || length > 512) return false;
  const { text, end: textEnd } = zeroEnded(bytes, start + 5, Math.min(end, start + 105));
  return /^\d+\.\d+[\w.+~:-]*$/.test(text) && textEnd < end;
}

/** An error instead of a greeting: too many connections, a blocked host. */
function isRefusal(bytes: Uint8Array, start: number, end: number, length: number): Likeness {
  const available = end - start;
  if (length < EOF_LENGTH || length > 512 || length < available - PACKET_HEADER) return 'no';
  if (available < 8) return 'more';
  const code = u16le(bytes, start + 5);
  if (code < 1000 || code > 4999 || !isText(bytes, start + 7, end)) return 'no';
  return length === available - PACKET_HEADER ? 'server' : 'more';
}

/** Whether nothing but text stands there, in any character set. */
function isText(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = u8(bytes, at);
    if (byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13) return false;
  }
  return true;
}
