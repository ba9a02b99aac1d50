import { i32, u8, u16 } from '../../bytes.ts';
import { utf8 } from '../../record/text.ts';
import { consistencyName } from './errors.ts';
import { FLAG, FRAME_HEADER, OPCODE } from './frame.ts';

/** What a request asks for. */
export interface Asked {
  readonly opcode: number;
  /** As it was sent; empty where there is none, or it is not readable. */
  readonly statement: string;
  /** Of a prepared statement, in hexadecimal. */
  readonly id: string;
  /** Statements of a batch; 1 otherwise. */
  readonly count: number;
  readonly consistency: string;
  /** Compression hides what it is about. */
  readonly isHidden: boolean;
}

/** How it went. */
export interface Outcome {
  readonly opcode: number;
  /** Of an error; -1 without. */
  readonly code: number;
  readonly error: string;
  readonly warning: string;
  /** Of RESULT: void, rows, keyspace, prepared, schema change, from 1 on; 0 without. */
  readonly kind: number;
  /** The id of a prepared statement; the name of a keyspace. */
  readonly name: string;
}

export const RESULT = { rows: 2, keyspace: 3, prepared: 4 } as const;

/** Bytes of a tracing id. */
const TRACING = 16;

/** Reads a request's frame, as far as it is kept. No credentials are read. */
export function readRequest(bytes: Uint8Array, start: number, end: number): Asked {
  const opcode = u8(bytes, start + 4);
  const flags = u8(bytes, start + 1);
  const asked = { opcode, statement: '', id: '', count: 1, consistency: '', isHidden: (flags & FLAG.compressed) !== 0 };
  let at = start + FRAME_HEADER;
  if (asked.isHidden) return asked;
  if ((flags & FLAG.payload) !== 0) at = behindPayload(bytes, at, end);
  if (opcode === OPCODE.query || opcode === OPCODE.prepare) {
    const statement = longText(bytes, at, end);
    const next = at + 4 + (at + 4 <= end ? i32(bytes, at) : 0);
    const consistency = opcode === OPCODE.query && next + 2 <= end ? consistencyName(u16(bytes, next)) : '';
    return { ...asked, statement, consistency };
  }
  if (opcode === OPCODE.execute) {
    const id = shortHex(bytes, at, end);
    let next = at + 2 + id.length / 2;
    if ((u8(bytes, start) & 0x7f) === 5 && next + 2 <= end) next += 2 + u16(bytes, next);
    return { ...asked, id, consistency: next + 2 <= end ? consistencyName(u16(bytes, next)) : '' };
  }
  if (opcode !== OPCODE.batch || at + 4 > end) return asked;
  const count = u16(bytes, at + 1);
  return u8(bytes, at + 3) === 0
    ? { ...asked, count, statement: longText(bytes, at + 4, end) }
    : { ...asked, count, id: shortHex(bytes, at + 4, end) };
}

/** Reads a response's frame, as far as it is kept; undefined where compression hides it, or it is not kept. */
export function readResponse(bytes: Uint8Array, start: number, end: number): Outcome | undefined {
  const opcode = u8(bytes, start + 4);
  const flags = u8(bytes, start + 1);
  let outcome: Outcome = { opcode, code: -1, error: '', warning: '', kind: 0, name: '' };
  if ((flags & FLAG.compressed) !== 0) return opcode === OPCODE.error ? { ...outcome, code: 0 } : outcome;
  let at = start + FRAME_HEADER + ((flags & FLAG.tracing) === 0 ? 0 : TRACING);
  if ((flags & FLAG.warning) !== 0 && at + 2 <= end) {
    const count = u16(bytes, at);
    at += 2;
    if (count > 0) outcome = { ...outcome, warning: shortText(bytes, at, end) };
    for (let index = 0; index < count && at + 2 <= end; index += 1) at += 2 + u16(bytes, at);
  }
  if ((flags & FLAG.payload) !== 0) at = behindPayload(bytes, at, end);
  if (at + 4 > end) return opcode === OPCODE.error || opcode === OPCODE.result ? undefined : outcome;
  if (opcode === OPCODE.error)
    return { ...outcome, code: i32(bytes, at) & 0xffff, error: shortText(bytes, at + 4, end) };
  if (opcode === OPCODE.event) return { ...outcome, name: shortText(bytes, at, end) };
  if (opcode !== OPCODE.result) return outcome;
  const kind = i32(bytes, at);
  if (kind === RESULT.keyspace) return { ...outcome, kind, name: shortText(bytes, at + 4, end) };
  return { ...outcome, kind, name: kind === RESULT.prepared ? shortHex(bytes, at + 4, end) : '' };
}

/** Where what follows a custom payload begins. */
function behindPayload(bytes: Uint8Array, start: number, end: number): number {
  if (start + 2 > end) return end;
  let at = start + 2;
  for (let left = u16(bytes, start); left > 0 && at + 2 <= end; left -= 1) {
    at += 2 + u16(bytes, at);
    if (at + 4 > end) return end;
    at += 4 + Math.max(0, i32(bytes, at));
  }
  return Math.min(at, end);
}

function longText(bytes: Uint8Array, at: number, end: number): string {
  if (at + 4 > end) return '';
  return utf8(bytes, at + 4, Math.min(end, at + 4 + Math.max(0, i32(bytes, at))));
}

function shortText(bytes: Uint8Array, at: number, end: number): string {
  return at + 2 > end ? '' : utf8(bytes, at + 2, Math.min(end, at + 2 + u16(bytes, at)));
}

function shortHex(bytes: Uint8Array, at: number, end: number): string {
  if (at + 2 > end || at + 2 + u16(bytes, at) > end) return '';
  return Buffer.from(bytes.subarray(at + 2, at + 2 + u16(bytes, at))).toString('hex');
}
