import { i32, u8, u16 } from '../../bytes.ts';
import type { Likeness } from '../protocol.ts';

/** The binary protocol's messages (memcached, doc/protocol-binary.txt): a header of 24 bytes, extras, key, value. */
export const BINARY_HEADER = 24;

const REQUEST = 0x80;
const RESPONSE = 0x81;

/** Longest message that is accepted: memcached's items are at most 1 GiB, by default 1 MiB. */
const BODY_MAXIMUM = 2 ** 30;
const KEY_MAXIMUM = 250;

const NAMES =
  'get set add replace delete incr decr quit flush_all getq noop version getk getkq append prepend stat setq addq replaceq ' +
  'deleteq incrq decrq quitq flush_allq appendq prependq verbosity touch gat gatq';

/** Commands by opcode. */
const COMMANDS: ReadonlyMap<number, string> = new Map([
  ...NAMES.split(' ').map((name, opcode) => [opcode, name] as const),
  [0x20, 'sasl_mechanisms'],
  [0x21, 'sasl_auth'],
  [0x22, 'sasl_step'],
  [0x23, 'gatk'],
  [0x24, 'gatkq'],
]);

export const STAT = 0x10;
export const QUIT: ReadonlySet<number> = new Set([0x07, 0x17]);

/** getk, getkq, gatk and gatkq: their answers have the key. */
export const ANSWERED_WITH_KEY: ReadonlySet<number> = new Set([0x0c, 0x0d, 0x23, 0x24]);

/** Commands that read a value: quiet ones answer only a hit, all others only what went wrong. */
const READS = new Set(['get', 'getq', 'getk', 'getkq', 'gat', 'gatq', 'gatk', 'gatkq']);

const STATUSES: ReadonlyMap<number, string> = new Map([
  [0x00, 'OK'],
  [0x01, 'NOT_FOUND'],
  [0x02, 'EXISTS'],
  [0x03, 'TOO_LARGE'],
  [0x04, 'INVALID_ARGUMENTS'],
  [0x05, 'NOT_STORED'],
  [0x06, 'NON_NUMERIC'],
  [0x07, 'WRONG_SERVER'],
  [0x08, 'AUTH_ERROR'],
  [0x09, 'AUTH_CONTINUE'],
  [0x20, 'AUTH_ERROR'],
  [0x21, 'AUTH_CONTINUE'],
  [0x81, 'UNKNOWN_COMMAND'],
  [0x82, 'OUT_OF_MEMORY'],
  [0x83, 'NOT_SUPPORTED'],
  [0x84, 'INTERNAL_ERROR'],
  [0x85, 'BUSY'],
  [0x86, 'TEMPORARY_FAILURE'],
]);

/** Answers that are part of normal work. */
const USUAL = new Set([0x00, 0x01, 0x02, 0x05, 0x09, 0x21]);

/** Whether a message of the binary protocol can begin with this byte. */
export function isMagic(byte: number | undefined): boolean {
  return byte === REQUEST || byte === RESPONSE;
}

/** The name of a command without its q for quiet; `opcode 0x51` for an unknown one. */
export function commandName(opcode: number): string {
  const name = COMMANDS.get(opcode);
  if (name === undefined) return `opcode 0x${opcode.toString(16).padStart(2, '0')}`;
  return isQuiet(opcode) ? name.slice(0, -1) : name;
}

/** Whether a command has an answer only in some cases. */
export function isQuiet(opcode: number): boolean {
  return COMMANDS.get(opcode)?.endsWith('q') === true;
}

/** Commands that name no key, or need none: quit, flush_all, noop, version, stat, verbosity, sasl_mechanisms. */
const KEYLESS = new Set([0x07, 0x17, 0x08, 0x18, 0x0a, 0x0b, STAT, 0x1b, 0x20]);

/** Text of an answer's status. */
export function statusName(opcode: number, status: number): string {
  if (READS.has(COMMANDS.get(opcode) ?? '') && status <= 1) return status === 0 ? 'hit' : 'miss';
  return STATUSES.get(status) ?? `status 0x${status.toString(16).padStart(2, '0')}`;
}

export function isFailedStatus(status: number): boolean {
  return !USUAL.has(status);
}

/** A message's whole length from its header; 0 for an invalid header. */
export function binaryLength(bytes: Uint8Array, at: number): number {
  if (!isMagic(bytes[at])) return 0;
  const key = u16(bytes, at + 2);
  const extras = u8(bytes, at + 4);
  const body = i32(bytes, at + 8) >>> 0;
  if (u8(bytes, at + 5) !== 0 || key > KEY_MAXIMUM || key + extras > body || body > BODY_MAXIMUM) return 0;
  return BINARY_HEADER + body;
}

/** Whether a message of one side begins here: a look at its header. */
export function binaryBegins(bytes: Uint8Array, at: number, isRequest: boolean): boolean {
  if (bytes[at] !== (isRequest ? REQUEST : RESPONSE) || binaryLength(bytes, at) === 0) return false;
  if (!COMMANDS.has(u8(bytes, at + 1)) || u8(bytes, at + 4) > BINARY_HEADER) return false;
  if (isRequest && !KEYLESS.has(u8(bytes, at + 1)) && u16(bytes, at + 2) === 0) return false;
  // Of a request these are its vbucket, which is Couchbase's alone.
  return isRequest ? u16(bytes, at + 6) === 0 : STATUSES.has(u16(bytes, at + 6));
}

/** What a connection's first bytes look like, of which the first is a magic byte. */
export function binaryLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  if (end - start < BINARY_HEADER) return 'more';
  if (binaryBegins(bytes, start, true)) return 'client';
  return binaryBegins(bytes, start, false) ? 'server' : 'no';
}
