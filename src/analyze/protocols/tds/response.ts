import { u8 } from '../../bytes.ts';
import { u16le, u32le } from './packet.ts';

/** How a request went. */
export interface Outcome {
  /** Of an error; 0 without. */
  readonly code: number;
  readonly error: string;
  readonly failed: boolean;
  /** The token that ends it has come. */
  readonly ended: boolean;
  /** The client has canceled it. */
  readonly canceled: boolean;
  /** Rows returned or changed; -1 where that is not known. */
  readonly rows: number;
}

/** Bytes of the token that ends a response: TDS 7.2 and later, and before. */
export const DONE_BYTES = 13;
const DONE_OLD_BYTES = 9;

const DONE = { error: 0x02, count: 0x10, attention: 0x20, serverError: 0x100 } as const;
const DONE_FLAGS = 0x133;

const ERROR = 0xaa;
/** Tokens with a length of two and of four bytes. */
const SHORT = new Set([0xa4, 0xa5, 0xa9, ERROR, 0xab, 0xad, 0xe3, 0xed]);
const LONG = new Set([0xe4, 0xee]);

/** Reads a response: the tokens at its beginning, up to rows, and the one that ends it. @param tail its last bytes */
export function readResponse(bytes: Uint8Array, start: number, end: number, tail: Uint8Array): Outcome {
  const first = firstError(bytes, start, end);
  const done = doneOf(tail);
  const flags = done?.flags ?? 0;
  return {
    code: first?.code ?? 0,
    error: first?.text ?? '',
    failed: first !== undefined || (flags & (DONE.error | DONE.serverError)) !== 0,
    ended: done !== undefined,
    canceled: (flags & DONE.attention) !== 0,
    rows: done !== undefined && (flags & DONE.count) !== 0 ? done.rows : -1,
  };
}

function doneOf(tail: Uint8Array): { flags: number; rows: number } | undefined {
  for (const size of [DONE_BYTES, DONE_OLD_BYTES]) {
    const at = tail.length - size;
    if (at < 0 || u8(tail, at) < 0xfd || (u16le(tail, at + 1) & ~DONE_FLAGS) !== 0) continue;
    const high = size === DONE_BYTES ? u32le(tail, at + 9) : 0;
    return { flags: u16le(tail, at + 1), rows: high > 0xffff ? -1 : u32le(tail, at + 5) + high * 2 ** 32 };
  }
  return undefined;
}

/** The first error among the tokens before any rows. */
function firstError(bytes: Uint8Array, start: number, end: number): { code: number; text: string } | undefined {
  let at = start;
  while (at + 3 <= end) {
    const token = u8(bytes, at);
    if (token === ERROR && at + 11 <= end) {
      const length = 2 * u16le(bytes, at + 9);
      const from = bytes.byteOffset + at + 11;
      const text = Buffer.from(bytes.buffer, from, Math.min(length, (end - at - 11) & ~1)).toString('utf16le');
      return { code: u32le(bytes, at + 3), text };
    }
    if (SHORT.has(token)) at += 3 + u16le(bytes, at + 1);
    else if (LONG.has(token) && at + 5 <= end) at += 5 + u32le(bytes, at + 1);
    else if (token === 0x79) at += 5;
    else if (token >= 0xfd) at += DONE_BYTES;
    else return undefined;
  }
  return undefined;
}
