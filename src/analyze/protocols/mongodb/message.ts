import { u8 } from '../../bytes.ts';
import type { Likeness } from '../protocol.ts';
import { i32le } from './bson.ts';

/** Operations of the wire protocol. */
const OP_REPLY = 1;
export const OP_QUERY = 2004;
export const OP_COMPRESSED = 2012;
export const OP_MSG = 2013;

/** Opcodes before MongoDB 5.1 that have no reply: skipped. */
const ONE_WAY: ReadonlySet<number> = new Set([2001, 2002, 2005, 2006, 2007]);

/** Bytes of length, request id, what is answered, and operation. */
export const MESSAGE_HEADER = 16;

/** Bytes that are needed to recognise a message: up to the length of an OP_MSG's first document. */
export const MESSAGE_SEEK = 25;

/** Longest message: maxMessageSizeBytes, with room for a server that is configured for more. */
const MESSAGE_MAXIMUM = 64 * 1024 * 1024;

/** Flags of an OP_MSG. */
const CHECKSUM_PRESENT = 1;
export const MORE_TO_COME = 2;
const EXHAUST_ALLOWED = 1 << 16;

export const SNAPPY = 1;
export const ZLIB = 2;
export const ZSTD = 3;

/** A message's whole length, from its header; 0 for an invalid header. */
export function messageLength(bytes: Uint8Array, at: number): number {
  const length = i32le(bytes, at);
  if (length < MESSAGE_HEADER || length > MESSAGE_MAXIMUM) return 0;
  const operation = i32le(bytes, at + 12);
  const known = operation === OP_MSG || operation === OP_COMPRESSED || operation === OP_QUERY || operation === OP_REPLY;
  return known || ONE_WAY.has(operation) ? length : 0;
}

/** Whether an OP_MSG or an OP_COMPRESSED begins here: a look at MESSAGE_SEEK bytes. */
export function messageBegins(bytes: Uint8Array, at: number): boolean {
  const length = messageLength(bytes, at);
  if (length < MESSAGE_SEEK) return false;
  const operation = i32le(bytes, at + 12);
  const first = i32le(bytes, at + 16);
  if (operation === OP_MSG) {
    if ((first & ~(CHECKSUM_PRESENT | MORE_TO_COME | EXHAUST_ALLOWED)) !== 0 || u8(bytes, at + 20) > 1) return false;
    const document = i32le(bytes, at + 21);
    return document >= 5 && document <= length - 21;
  }
  if (operation !== OP_COMPRESSED || (first !== OP_MSG && first !== OP_QUERY && first !== OP_REPLY)) return false;
  const size = i32le(bytes, at + 20);
  return size > 0 && size <= MESSAGE_MAXIMUM && u8(bytes, at + 24) <= ZSTD;
}

/** Whether a message answers another: requests answer 0 or, of old clients, -1. */
export function isReply(bytes: Uint8Array, at: number): boolean {
  const answers = i32le(bytes, at + 8);
  return answers !== 0 && answers !== -1;
}

/** Whether these bytes begin with a message, and whose: a client's answers nothing. */
export function mongodbLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const here = end - start;
  if (here < MESSAGE_HEADER) {
    if (here < 4) return 'more';
    const length = i32le(bytes, start);
    return length >= MESSAGE_HEADER && length <= MESSAGE_MAXIMUM ? 'more' : 'no';
  }
  if (messageLength(bytes, start) < MESSAGE_SEEK) return 'no';
  const operation = i32le(bytes, start + 12);
  if (ONE_WAY.has(operation)) return 'no';
  if (here < MESSAGE_SEEK) return 'more';
  if (operation === OP_QUERY) return !isReply(bytes, start) && isQuery(bytes, start, end) ? 'client' : 'no';
  if (operation === OP_REPLY) return isReply(bytes, start) && hasReplyFlags(bytes, start) ? 'server' : 'no';
  if (!messageBegins(bytes, start)) return 'no';
  return isReply(bytes, start) ? 'server' : 'client';
}

/** Flags, then a collection's full name. */
function isQuery(bytes: Uint8Array, start: number, end: number): boolean {
  const flags = i32le(bytes, start + 16);
  if (flags < 0 || flags > 0xff) return false;
  let dots = 0;
  for (let at = start + 20; at < end && at < start + 20 + 256; at += 1) {
    const byte = u8(bytes, at);
    if (byte === 0) return dots > 0;
    if (byte < 0x20) return false;
    if (byte === 0x2e) dots += 1;
  }
  return dots > 0;
}

/** Flags below 16; behind flags and cursor are four bytes of where it starts. */
function hasReplyFlags(bytes: Uint8Array, start: number): boolean {
  return (i32le(bytes, start + 16) & ~15) === 0;
}
