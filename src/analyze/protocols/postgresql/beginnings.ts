import { i32, u8 } from '../../bytes.ts';
import { utf8 } from '../../record/text.ts';
import { isClientType, isServerType } from './messages.ts';

/** Most bytes looked at to decide whether a message begins. */
export const SEEK_BYTES = 64;
/** Longest message that is believed to begin where framing was lost. */
const BELIEVED_BYTES = 1 << 24;

const READY = [0x5a, 0, 0, 0, 5];
const SYNC = [0x53, 0, 0, 0, 4];
const COPY_DONE = [0x63, 0, 0, 0, 4];

const STATEMENT =
  /^[\s(]*(?:--|\/\*|select|insert|update|delete|merge|with|values|table|begin|start|commit|end|rollback|abort|savepoint|release|set|show|reset|create|alter|drop|truncate|copy|explain|analyze|vacuum|call|do|declare|fetch|move|close|prepare|execute|deallocate|listen|notify|unlisten|lock|grant|revoke|comment|refresh|reindex|cluster|discard|checkpoint|load|start_replication|identify_system)\b/i;
/** Characters of a statement that show one. */
const STATEMENT_CHARACTERS = 20;

/**
 * Whether a client's message begins here: one that is recognised by itself (a statement, the end of COPY), or at an expected
 * place any that can. Undefined where more bytes are needed.
 * @param expected the server had answered everything before this byte when it was sent
 */
export function clientBegins(bytes: Uint8Array, start: number, end: number, expected: boolean): boolean | undefined {
  const type = u8(bytes, start);
  if (expected && isClientType(type)) return believed(bytes, start, end);
  switch (type) {
    case 0x51:
      return statementBegins(bytes, start, start + 5, end);
    case 0x50:
      return parseBegins(bytes, start, end);
    case 0x63:
      return startsWith(bytes, start, end, COPY_DONE) && startsWith(bytes, start + 5, end, SYNC);
    default:
      return false;
  }
}

/**
 * Whether a server's message begins here: ReadyForQuery, the last CommandComplete before it, an error; or at an expected
 * place any that can. Undefined where more bytes are needed.
 * @param expected the client had received everything before this byte when it sent a request
 */
export function serverBegins(bytes: Uint8Array, start: number, end: number, expected: boolean): boolean | undefined {
  const type = u8(bytes, start);
  if (expected && isServerType(type)) return believed(bytes, start, end);
  switch (type) {
    case 0x5a:
      return readyBegins(bytes, start, end);
    case 0x43:
      return lastCommandBegins(bytes, start, end);
    case 0x45:
      return errorBegins(bytes, start, end);
    default:
      return false;
  }
}

/** Whether a statement starts in these bytes. */
export function isStatement(bytes: Uint8Array, start: number, end: number): boolean {
  return STATEMENT.test(utf8(bytes, start, Math.min(end, start + STATEMENT_CHARACTERS)));
}

function believed(bytes: Uint8Array, start: number, end: number): boolean | undefined {
  if (end - start < 5) return undefined;
  const length = i32(bytes, start + 1);
  return length >= 4 && length < BELIEVED_BYTES;
}

/** Undefined while all there is agrees. */
function startsWith(bytes: Uint8Array, start: number, end: number, expected: readonly number[]): boolean | undefined {
  for (const [index, byte] of expected.entries()) {
    if (start + index >= end) return undefined;
    if (bytes[start + index] !== byte) return false;
  }
  return true;
}

function readyBegins(bytes: Uint8Array, start: number, end: number): boolean | undefined {
  const begins = startsWith(bytes, start, end, READY);
  if (begins !== true) return begins;
  if (start + 5 >= end) return undefined;
  const state = u8(bytes, start + 5);
  return state === 0x49 || state === 0x54 || state === 0x45;
}

/** `SELECT 5`, ended by a zero byte, and ReadyForQuery behind it. */
function lastCommandBegins(bytes: Uint8Array, start: number, end: number): boolean | undefined {
  const head = startsWith(bytes, start, end, [0x43, 0, 0, 0]);
  if (head !== true) return head;
  if (end - start < 5) return undefined;
  const length = u8(bytes, start + 4);
  if (length < 6 || length > SEEK_BYTES - 10) return false;
  const last = start + length;
  for (let at = start + 5; at < last && at < end; at += 1) {
    const byte = u8(bytes, at);
    const isOfTag = byte === 0x20 || (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a);
    if (!isOfTag) return false;
  }
  if (last >= end) return undefined;
  return bytes[last] === 0 && startsWith(bytes, last + 1, end, READY);
}

/** The fields with which every error begins: its severity (twice since PostgreSQL 9.6) and its SQLSTATE. */
function errorBegins(bytes: Uint8Array, start: number, end: number): boolean | undefined {
  const head = startsWith(bytes, start, end, [0x45, 0, 0]);
  if (head !== true) return head;
  const text = utf8(bytes, start + 5, Math.min(end, start + SEEK_BYTES));
  if (/^S(?:ERROR|FATAL|PANIC)\0(?:V(?:ERROR|FATAL|PANIC)\0)?C[0-9A-Z]{5}\0/.test(text)) return true;
  return end - start < SEEK_BYTES && /^(?:S(?:[A-Z]*(?:\0(?:V(?:[A-Z]*(?:\0(?:C\w*)?)?)?|C\w*)?)?)?)?$/.test(text)
    ? undefined
    : false;
}

function statementBegins(bytes: Uint8Array, start: number, text: number, end: number): boolean | undefined {
  if (end - start < 2) return undefined;
  if (bytes[start + 1] !== 0) return false;
  const wanted = Math.min(text + STATEMENT_CHARACTERS, start + SEEK_BYTES);
  if (end - start >= 5) {
    const length = i32(bytes, start + 1);
    if (length < 7 || length >= BELIEVED_BYTES) return false;
    // A short one ends before.
    if (start + 1 + length <= end) return isStatement(bytes, text, Math.min(end, start + length));
  }
  return end < wanted ? undefined : isStatement(bytes, text, end);
}

/** A statement that is prepared: its name comes first. */
function parseBegins(bytes: Uint8Array, start: number, end: number): boolean | undefined {
  if (end - start < 2) return undefined;
  if (bytes[start + 1] !== 0) return false;
  const limit = Math.min(end, start + SEEK_BYTES - STATEMENT_CHARACTERS);
  let at = start + 5;
  while (at < limit && bytes[at] !== 0) {
    if (u8(bytes, at) < 0x20) return false;
    at += 1;
  }
  if (at >= limit) return end - start < SEEK_BYTES - STATEMENT_CHARACTERS ? undefined : false;
  return statementBegins(bytes, start, at + 1, end);
}
