import { i32, u8 } from '../../bytes.ts';
import { SIDE, type Side } from '../../record/event.ts';
import type { Likeness } from '../protocol.ts';
import { isCompact, MESSAGE, ThriftWalker } from './walker.ts';

/** Bytes from which it is known whether a frame stands around a message; and bytes of the shortest message. */
export const THRIFT_HEADER = 6;
/** Bytes of a message without a frame, at most: its length shows only at its end. */
export const UNFRAMED_MAXIMUM = 8192;
/** Bytes that show that a message begins: a frame's length, and the head with the first characters of the name. */
export const THRIFT_SEEK = 24;
const FRAME_HEADER = 4;
const FRAME_MINIMUM = 5;
/** Of frames; the default of servers is 16 MB. */
const FRAME_MAXIMUM = 256 * 1024 * 1024;
const NAME_SHOWN = 3;

const walker = new ThriftWalker();

/** Where the message begins: behind a frame's length, or at once. */
export function messageStart(bytes: Uint8Array, start: number): number {
  return u8(bytes, start) < 0x80 ? start + FRAME_HEADER : start;
}

function isHead(bytes: Uint8Array, at: number): boolean {
  return isCompact(bytes, at) || (u8(bytes, at) === 0x80 && u8(bytes, at + 1) === 1);
}

/** A whole message's length with its frame; undefined where that takes more bytes, 0 for what is none. */
export function thriftLength(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (u8(bytes, start) >= 0x80) return walker.length(bytes, start, end);
  const size = i32(bytes, start);
  if (size < FRAME_MINIMUM || size > FRAME_MAXIMUM || !isHead(bytes, start + FRAME_HEADER)) return 0;
  return FRAME_HEADER + size;
}

/** Whether a message of a side begins here: THRIFT_SEEK bytes, or all there are. */
export function thriftBegins(side: Side, bytes: Uint8Array, start: number, end: number): boolean | undefined {
  const type = headType(bytes, start, Math.min(end, start + THRIFT_SEEK));
  if (type === undefined) return end - start < THRIFT_SEEK ? undefined : false;
  if (type === 0) return false;
  const isAnswer = type === MESSAGE.reply || type === MESSAGE.exception;
  return isAnswer === (side === SIDE.server);
}

/** The type of the message at `start` by its head; undefined where that takes more bytes, 0 where none begins. */
function headType(bytes: Uint8Array, start: number, end: number): number | undefined {
  const at = messageStart(bytes, start);
  if (end - at < 2) return undefined;
  if (at > start && (i32(bytes, start) < FRAME_MINIMUM || i32(bytes, start) > FRAME_MAXIMUM)) return 0;
  const type = walker.headType(bytes, at, end);
  if (type !== undefined) return type;
  // Of a long name the first characters are enough.
  if (end - start < THRIFT_SEEK) return undefined;
  return isCompact(bytes, at) ? u8(bytes, at + 1) >> 5 : u8(bytes, at + 3);
}

/** Whether bytes begin a call or an answer, in a frame or without. */
export function thriftLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const first = u8(bytes, start);
  if (first !== 0 && first !== 1 && first !== 0x80 && first !== 0x82) return 'no';
  const at = messageStart(bytes, start);
  if (end - at < 2) return end - start < 2 || at > start ? 'more' : 'no';
  if (!isHead(bytes, at)) return 'no';
  const type = headType(bytes, start, end);
  if (type === undefined) return 'more';
  if (type === 0) return 'no';
  const isShort = isCompact(bytes, at) && walker.message(bytes, at, end)?.name.length;
  if (typeof isShort === 'number' && isShort < NAME_SHOWN) return 'no';
  return type === MESSAGE.reply || type === MESSAGE.exception ? 'server' : 'client';
}
