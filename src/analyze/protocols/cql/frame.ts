import { i32, u8, u16 } from '../../bytes.ts';
import { SIDE, type Side } from '../../record/event.ts';
import type { Likeness } from '../protocol.ts';
import { SEGMENT_HEADER, segmentLength } from './segment.ts';

/** Kinds of frames (CQL binary protocol 3, 4 and 5, section 2.4). */
export const OPCODE = {
  error: 0x00,
  startup: 0x01,
  ready: 0x02,
  authenticate: 0x03,
  options: 0x05,
  supported: 0x06,
  query: 0x07,
  result: 0x08,
  prepare: 0x09,
  execute: 0x0a,
  register: 0x0b,
  event: 0x0c,
  batch: 0x0d,
  authChallenge: 0x0e,
  authResponse: 0x0f,
  authSuccess: 0x10,
} as const;

const REQUESTS = new Set<number>([
  OPCODE.startup,
  OPCODE.options,
  OPCODE.query,
  OPCODE.prepare,
  OPCODE.execute,
  OPCODE.register,
  OPCODE.batch,
  OPCODE.authResponse,
]);
const RESPONSES = new Set<number>([
  OPCODE.error,
  OPCODE.ready,
  OPCODE.authenticate,
  OPCODE.supported,
  OPCODE.result,
  OPCODE.event,
  OPCODE.authChallenge,
  OPCODE.authSuccess,
]);

export const FLAG = { compressed: 0x01, tracing: 0x02, payload: 0x04, warning: 0x08 } as const;
const FLAGS_MAXIMUM = 0x1f;

/** Bytes of a frame's header. */
export const FRAME_HEADER = 9;
/** Least bytes of what has a header: a segment's of version 5 is shorter. */
export const HEADER = SEGMENT_HEADER;
/** Bytes that show whether a frame begins: its header, and the beginning of its body. */
export const SEEK = FRAME_HEADER + 16;

/** Longest frame: native_transport_max_frame_size is 256 MiB at first. */
const BODY_MAXIMUM = 256 * 1024 * 1024;

const RESPONSE = 0x80;
export const VERSION_5 = 5;

/** A frame's whole length; 0 for what is none of this side's, undefined where its header is not whole. */
export function frameLength(side: Side, bytes: Uint8Array, start: number, end: number): number | undefined {
  if (!isVersion(u8(bytes, start), side)) return 0;
  if (end - start < FRAME_HEADER) return undefined;
  return headerLength(side, bytes, start);
}

function headerLength(side: Side, bytes: Uint8Array, start: number): number {
  const opcode = u8(bytes, start + 4);
  const length = i32(bytes, start + 5);
  const stream = (u16(bytes, start + 2) << 16) >> 16;
  if (!(side === SIDE.client ? REQUESTS : RESPONSES).has(opcode) || u8(bytes, start + 1) > FLAGS_MAXIMUM) return 0;
  // What the server sends unasked has the number -1, requests none below 0.
  if (stream < 0 && !(side === SIDE.server && stream === -1)) return 0;
  return length < 0 || length > BODY_MAXIMUM ? 0 : FRAME_HEADER + length;
}

/** Versions 3 to 5, and those of DataStax (0x41, 0x42). */
function isVersion(byte: number, side: Side): boolean {
  if (byte >= RESPONSE !== (side === SIDE.server)) return false;
  const version = byte & 0x7f;
  return (version >= 3 && version <= 5) || version === 0x41 || version === 0x42;
}

/** Whether a frame of a side begins here, by its header and the beginning of its body. Undefined where that takes more bytes. */
export function frameBegins(side: Side, bytes: Uint8Array, start: number, end: number): boolean | undefined {
  const length = frameLength(side, bytes, start, end);
  if (length === undefined || length === 0) return length === undefined ? undefined : false;
  const body = length - FRAME_HEADER;
  const opcode = u8(bytes, start + 4);
  if (opcode === OPCODE.options || opcode === OPCODE.ready) return body === 0;
  const at = start + FRAME_HEADER;
  const needed = Math.min(body, SEEK - FRAME_HEADER);
  if (at + needed > end) return undefined;
  // Compression hides what follows, and what may precede it has no form of its own.
  if (u8(bytes, start + 1) !== 0)
    return opcode === OPCODE.query || opcode === OPCODE.execute || opcode === OPCODE.result;
  switch (opcode) {
    case OPCODE.query:
    case OPCODE.prepare:
      return (
        body > 6 &&
        i32(bytes, at) > 0 &&
        i32(bytes, at) <= body - 4 &&
        isText(bytes, at + 4, at + needed, i32(bytes, at))
      );
    case OPCODE.execute:
      return body > 4 && u16(bytes, at) > 0 && u16(bytes, at) <= Math.min(64, body - 4);
    case OPCODE.startup:
    case OPCODE.register:
    case OPCODE.supported:
      return (
        body > 4 && u16(bytes, at) > 0 && u16(bytes, at) < 100 && isText(bytes, at + 4, at + needed, u16(bytes, at + 2))
      );
    case OPCODE.authenticate:
    case OPCODE.event:
      return (
        body > 2 &&
        u16(bytes, at) > 0 &&
        u16(bytes, at) <= body - 2 &&
        isText(bytes, at + 2, at + needed, u16(bytes, at))
      );
    case OPCODE.batch:
      return body > 6 && u8(bytes, at) <= 2 && u8(bytes, at + 3) <= 1;
    case OPCODE.result:
      return body >= 4 && i32(bytes, at) >= 1 && i32(bytes, at) <= 5;
    case OPCODE.error:
      return body >= 6 && i32(bytes, at) >= 0 && i32(bytes, at) < 0x10000 && u16(bytes, at + 4) <= body - 6;
    default:
      // Tokens of an authentication, with their length.
      return body >= 4 && (i32(bytes, at) === body - 4 || i32(bytes, at) === -1);
  }
}

/** Whether a segment of version 5 begins here that a frame of the side follows, or continues. */
export function segmentBegins(side: Side, bytes: Uint8Array, start: number, end: number): boolean | undefined {
  if (end - start < SEGMENT_HEADER) return undefined;
  if (segmentLength(bytes, start) === 0) return false;
  if (end - start === SEGMENT_HEADER) return undefined;
  return u8(bytes, start + SEGMENT_HEADER) === (side === SIDE.client ? VERSION_5 : RESPONSE | VERSION_5);
}

/** What a connection's first bytes, or those of a frame, look like. */
export function cqlLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const side = u8(bytes, start) >= RESPONSE ? SIDE.server : SIDE.client;
  const begins = frameBegins(side, bytes, start, end);
  if (begins === true) return side === SIDE.client ? 'client' : 'server';
  if (segmentBegins(SIDE.client, bytes, start, end) === true) return 'client';
  if (segmentBegins(SIDE.server, bytes, start, end) === true) return 'server';
  return begins === undefined ? 'more' : 'no';
}

/** Whether a connection's bytes are segments. */
export function isSegment(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start >= SEGMENT_HEADER && segmentLength(bytes, start) > 0;
}

function isText(bytes: Uint8Array, start: number, end: number, length: number): boolean {
  for (let at = start; at < Math.min(end, start + length); at += 1) {
    const byte = u8(bytes, at);
    if ((byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13) || byte === 0x7f) return false;
  }
  return length > 0;
}
