import { i32, u8 } from '../../bytes.ts';
import { FLAG, FRAME, FRAME_HEADER } from './frame-reader.ts';
import { HpackDecoder } from './hpack.ts';

/** What a frame may carry unless its receiver allows more (RFC 9113, section 4.2). */
const FRAME_USUAL = 16_384;
/** Receivers that allow more allow no more than this. */
const FRAME_LARGE = 1024 * 1024;
/** Frames in a row that have to be right, where so many are there. */
const FRAMES_IN_ROW = 3;
/** Streams that a client may have opened in what was not captured. */
const STREAMS_MISSED = 20_000;
const ERROR_MAXIMUM = 0xd;

/** Which streams frames may be of. */
export interface Streams {
  has(stream: number): boolean;
  /** The highest that was seen, 0 before any. */
  readonly highest: number;
}

/**
 * Where reading of frames can resume in bytes that do not begin with a frame.
 * @returns the first byte of a frame; -1 when none is certain
 */
export function frameAt(bytes: Uint8Array, start: number, end: number, streams: Streams): number {
  for (let at = start; at + FRAME_HEADER <= end; at += 1) {
    // A length has three bytes, and the first is 0 but of the largest frames.
    if (u8(bytes, at) <= FRAME_LARGE >>> 16 && isRow(bytes, at, end, streams)) return at;
  }
  return -1;
}

/** Whether frames follow one another from there on, as far as can be seen. */
function isRow(bytes: Uint8Array, start: number, end: number, streams: Streams): boolean {
  let at = start;
  // DATA may follow the head of its own stream.
  let opened = -1;
  for (let frames = 0; frames < FRAMES_IN_ROW && at + FRAME_HEADER <= end; frames += 1) {
    if (!isFrame(bytes, at, end, streams, opened)) return false;
    if (u8(bytes, at + 3) === FRAME.headers) opened = i32(bytes, at + 5);
    at += FRAME_HEADER + (i32(bytes, at) >>> 8);
  }
  return true;
}

/** A frame's header that hardly anything else looks like (RFC 9113, section 6). */
function isFrame(bytes: Uint8Array, at: number, end: number, streams: Streams, opened: number): boolean {
  const length = i32(bytes, at) >>> 8;
  const type = u8(bytes, at + 3);
  const flags = u8(bytes, at + 4);
  const stream = i32(bytes, at + 5);
  if (stream < 0) return false;
  const payload = at + FRAME_HEADER;
  switch (type) {
    case FRAME.data:
      return (
        (flags & ~(FLAG.endStream | FLAG.padded)) === 0 &&
        length <= FRAME_LARGE &&
        (stream === opened || streams.has(stream))
      );
    case FRAME.headers:
      return length <= FRAME_USUAL && isHeaders(bytes, payload, end, length, flags) && isLikely(stream, streams);
    case FRAME.settings:
      return stream === 0 && flags <= 1 && length % 6 === 0 && length <= 96 && (flags === 0 || length === 0);
    case FRAME.ping:
      return stream === 0 && flags <= 1 && length === 8;
    case FRAME.goAway:
      return stream === 0 && flags === 0 && length >= 8 && length <= FRAME_USUAL;
    case FRAME.windowUpdate:
      return (
        flags === 0 && length === 4 && (stream === 0 || isLikely(stream, streams)) && isIncrement(bytes, payload, end)
      );
    case FRAME.reset:
      return flags === 0 && length === 4 && stream > 0 && isLikely(stream, streams) && isError(bytes, payload, end);
    default:
      return false;
  }
}

/** A whole header block: a field of a table, or one spelt out. */
function isHeaders(bytes: Uint8Array, at: number, end: number, length: number, flags: number): boolean {
  const known = FLAG.endStream | FLAG.endHeaders | FLAG.padded | FLAG.priority;
  if ((flags & ~known) !== 0 || (flags & FLAG.endHeaders) === 0 || length === 0) return false;
  const block = at + (flags & FLAG.padded ? 1 : 0) + (flags & FLAG.priority ? 5 : 0);
  // An index of 0 is none (RFC 7541, section 6.1).
  return block >= end || u8(bytes, block) !== 0x80;
}

/** Clients' streams have odd numbers that grow (RFC 9113, section 5.1.1). */
function isLikely(stream: number, streams: Streams): boolean {
  return stream % 2 === 1 && (streams.highest === 0 || stream <= streams.highest + STREAMS_MISSED);
}

function isIncrement(bytes: Uint8Array, at: number, end: number): boolean {
  return at + 4 > end || i32(bytes, at) > 0;
}

function isError(bytes: Uint8Array, at: number, end: number): boolean {
  return at + 4 > end || i32(bytes, at) >>> 0 <= ERROR_MAXIMUM;
}

const METHOD = /^[A-Z]{3,7}$/;
const STATUS = /^[1-5]\d\d$/;

/**
 * Which side sent a HEADERS frame that comes first in a connection captured mid-stream: with a method it is the client's, with a
 * status the server's. @returns undefined for anything else
 */
export function headersLikeness(bytes: Uint8Array, start: number, end: number): 'client' | 'server' | undefined {
  if (end - start <= FRAME_HEADER || u8(bytes, start) !== 0 || u8(bytes, start + 3) !== FRAME.headers) return undefined;
  const flags = u8(bytes, start + 4);
  const stream = i32(bytes, start + 5);
  const stop = start + FRAME_HEADER + (i32(bytes, start) >>> 8);
  // Padding hides what the block is; implementations do not send it.
  if (flags & FLAG.padded || stop > end || !isRow(bytes, start, end, { has: (id) => id === stream, highest: 0 }))
    return undefined;
  let side: 'client' | 'server' | undefined;
  const block = start + FRAME_HEADER + (flags & FLAG.priority ? 5 : 0);
  const whole = new HpackDecoder(true).decode(bytes, block, stop, (name, value) => {
    if (name === ':method' && METHOD.test(value)) side ??= 'client';
    else if (name === ':status' && STATUS.test(value)) side ??= 'server';
  });
  return whole ? side : undefined;
}
