import { i32, u8 } from '../../bytes.ts';
import type { Likeness } from '../protocol.ts';
import { FRAME, FRAME_HEADER } from './frame-reader.ts';
import { headersLikeness } from './frame-search.ts';

/** What a client sends first (RFC 9113, section 3.4). */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** Bytes of a SETTINGS frame that is believed: there are eight settings, and extensions and experiments have more. */
const SETTINGS_LENGTH = 6 * 64;

/** Whether the bytes are those of the preface from `offset` of it on. */
export function prefaceAt(bytes: Uint8Array, start: number, end: number, offset: number): boolean {
  for (let at = start; at < end; at += 1) if (u8(bytes, at) !== PREFACE.charCodeAt(offset + at - start)) return false;
  return true;
}

/**
 * A client's preface, a server's first SETTINGS, or, of a connection under way, HEADERS that begin as most do. Frames of
 * the connection before them, such as an acknowledgment of SETTINGS or a PING, do not show who sends them.
 */
export function http2Likeness(bytes: Uint8Array, start: number, end: number): Likeness {
  if (u8(bytes, start) === PREFACE.charCodeAt(0)) {
    const compared = Math.min(end - start, PREFACE.length);
    if (!prefaceAt(bytes, start, start + compared, 0)) return 'no';
    return compared < PREFACE.length ? 'more' : 'client';
  }
  let at = start;
  while (end - at >= FRAME_HEADER) {
    const midway = headersLikeness(bytes, at, end);
    if (midway !== undefined) return midway;
    const length = i32(bytes, at) >>> 8;
    if (!isConnectionFrame(u8(bytes, at + 3), u8(bytes, at + 4), i32(bytes, at + 5), length)) return 'no';
    const next = at + FRAME_HEADER + length;
    if (next > end) return 'more';
    if (u8(bytes, at + 3) === FRAME.settings && length > 0)
      return areSettings(bytes, at + FRAME_HEADER, next) ? 'server' : 'no';
    at = next;
  }
  return mayBeFrame(bytes, at, end) ? 'more' : 'no';
}

/** Frames that come on stream 0, and WINDOW_UPDATE on any: what they are is nearly all fixed. */
function isConnectionFrame(type: number, flags: number, stream: number, length: number): boolean {
  switch (type) {
    case FRAME.settings:
      return (
        stream === 0 && (flags === 0 ? length % 6 === 0 && length <= SETTINGS_LENGTH : flags === 1 && length === 0)
      );
    case FRAME.ping:
      return stream === 0 && flags <= 1 && length === 8;
    case FRAME.windowUpdate:
      return stream >= 0 && flags === 0 && length === 4;
    default:
      return false;
  }
}

function areSettings(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 6) if (((u8(bytes, at) << 8) | u8(bytes, at + 1)) === 0) return false;
  return true;
}

/** Of a frame's header that has not come whole: whether what is there may be one's. */
function mayBeFrame(bytes: Uint8Array, start: number, end: number): boolean {
  const available = end - start;
  if (available > 0 && u8(bytes, start) !== 0) return false;
  if (available > 1 && u8(bytes, start + 1) !== 0) return false;
  if (available < 4) return true;
  const type = u8(bytes, start + 3);
  return type === FRAME.settings || type === FRAME.ping || type === FRAME.windowUpdate;
}
