import { u8, u16 } from '../../bytes.ts';
import { oneLine } from '../one-line.ts';
import { behindHeaders, TYPE, u16le, u32le } from './packet.ts';

/** What a message of the client asks for. */
export interface Asked {
  /** `BATCH`, `RPC`, `LOGIN`: see NAMES. */
  readonly command: string;
  /** A statement as it was sent; empty where there is none. */
  readonly statement: string;
  /** Name of a procedure. */
  readonly procedure: string;
  readonly database: string;
}

const NAMES: ReadonlyMap<number, string> = new Map([
  [TYPE.batch, 'BATCH'],
  [TYPE.rpc, 'RPC'],
  [TYPE.bulk, 'BULK LOAD'],
  [TYPE.federated, 'LOGIN token'],
  [TYPE.transaction, 'TRANSACTION'],
  [TYPE.login, 'LOGIN'],
  [TYPE.sspi, 'LOGIN SSPI'],
  [TYPE.prelogin, 'PRELOGIN'],
]);

/** Stored procedures that have numbers (MS-TDS, section 2.2.6.6). */
const PROCEDURES: readonly string[] = [
  '',
  'sp_cursor',
  'sp_cursoropen',
  'sp_cursorprepare',
  'sp_cursorexecute',
  'sp_cursorprepexec',
  'sp_cursorunprepare',
  'sp_cursorfetch',
  'sp_cursoroption',
  'sp_cursorclose',
  'sp_executesql',
  'sp_prepare',
  'sp_execute',
  'sp_prepexec',
  'sp_prepexecrpc',
  'sp_unprepare',
];

/** Which parameter of a procedure is a statement. */
const STATEMENT_PARAMETER: Readonly<Record<string, number>> = { sp_executesql: 0, sp_prepare: 2, sp_prepexec: 2 };

const TRANSACTIONS: Readonly<Record<number, string>> = {
  5: 'BEGIN',
  6: 'PROMOTE',
  7: 'COMMIT',
  8: 'ROLLBACK',
  9: 'SAVE',
};

/** Where in a LOGIN the place and the length of the database's name stand. */
const LOGIN_DATABASE = 68;

/** Reads a message's payload, as far as it is kept. Nothing of a login but its database is read. */
export function readRequest(type: number, bytes: Uint8Array, start: number, end: number): Asked {
  const asked = { command: NAMES.get(type) ?? '', statement: '', procedure: '', database: '' };
  if (type === TYPE.batch) return { ...asked, statement: wide(bytes, behindHeaders(bytes, start, end), end) };
  if (type === TYPE.rpc) return { ...asked, ...readProcedure(bytes, behindHeaders(bytes, start, end), end) };
  if (type === TYPE.transaction) {
    const at = behindHeaders(bytes, start, end);
    return { ...asked, command: (at + 2 <= end ? TRANSACTIONS[u16le(bytes, at)] : undefined) ?? asked.command };
  }
  if (type !== TYPE.login || start + LOGIN_DATABASE + 4 > end) return asked;
  const at = start + u16le(bytes, start + LOGIN_DATABASE);
  const length = 2 * u16le(bytes, start + LOGIN_DATABASE + 2);
  return { ...asked, database: oneLine(wide(bytes, at, Math.min(end, at + length))) };
}

/** The encryption that a PRELOGIN states (section 2.2.6.5): 0 off, 1 on, 2 not supported, 3 required; -1 without. */
export function encryptionOf(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at + 5 <= end && u8(bytes, at) !== 0xff; at += 5) {
    const value = start + u16(bytes, at + 1);
    if (u8(bytes, at) === 1 && value < end) return u8(bytes, value);
  }
  return -1;
}

function readProcedure(bytes: Uint8Array, start: number, end: number): { statement: string; procedure: string } {
  if (start + 4 > end) return { statement: '', procedure: '' };
  const length = u16le(bytes, start);
  const isNumber = length === 0xffff;
  let at = start + (isNumber ? 4 : 2 + 2 * length);
  const name = isNumber ? (PROCEDURES[u16le(bytes, start + 2)] ?? '') : wide(bytes, start + 2, Math.min(end, at));
  const procedure = oneLine(name);
  const wanted = STATEMENT_PARAMETER[procedure];
  if (wanted === undefined) return { statement: '', procedure };
  // Flags.
  at += 2;
  for (let index = 0; index <= wanted && at < end; index += 1) {
    const parameter = readParameter(bytes, at, end);
    if (parameter === undefined) break;
    if (index === wanted) return { statement: parameter.text, procedure };
    at = parameter.next;
  }
  return { statement: '', procedure };
}

/** A parameter that is a text or a number; undefined for another. */
function readParameter(bytes: Uint8Array, start: number, end: number): { text: string; next: number } | undefined {
  // Its name and a status.
  const at = start + 1 + 2 * u8(bytes, start) + 1;
  if (at + 10 > end) return undefined;
  const type = u8(bytes, at);
  if (type === 0x26) return { text: '', next: at + 3 + u8(bytes, at + 2) };
  if (type === 0x63) return textOf(bytes, at + 14, u32le(bytes, at + 10), end);
  if (type !== 0xe7) return undefined;
  const value = at + 8;
  if (u16le(bytes, at + 1) !== 0xffff) return textOf(bytes, value + 2, lengthOrNull(u16le(bytes, value)), end);
  // Without a maximum it comes in chunks, mostly one.
  return value + 12 > end ? undefined : textOf(bytes, value + 12, u32le(bytes, value + 8), end, 4);
}

function lengthOrNull(length: number): number {
  return length === 0xffff ? 0 : length;
}

function textOf(
  bytes: Uint8Array,
  at: number,
  length: number,
  end: number,
  behind = 0,
): { text: string; next: number } {
  return { text: wide(bytes, at, Math.min(end, at + length)), next: at + length + behind };
}

/** UTF-16 as text. */
function wide(bytes: Uint8Array, start: number, end: number): string {
  if (end - start < 2 || start < 0) return '';
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, (end - start) & ~1).toString('utf16le');
}
