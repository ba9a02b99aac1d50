import { i32, u8, u16 } from '../../bytes.ts';
import type { Likeness } from '../protocol.ts';
import { APIS } from './apis.ts';

/** Bytes of a message's length, API key, version, correlation id and client id's length. */
export const REQUEST_HEADER = 14;

/** Bytes that are needed to recognise a request: up to the first of its client id. */
export const REQUEST_SEEK = 18;

/** Longest message that is believed, with its length: brokers take 100 MiB by default, a fetch may bring more. */
export const MESSAGE_MAXIMUM = 256 * 1024 * 1024;

/** Longest request that is accepted where nothing else shows that it is Kafka: one that long begins with a 0. */
const UNPROVEN_MAXIMUM = 0xff_ffff;

/** APIs and versions beyond those known that are believed: what Kafka adds in years to come. */
const APIS_TO_COME = 40;
const VERSIONS_TO_COME = 10;

/** Longest client id that is believed. */
const CLIENT_ID_MAXIMUM = 512;

/** A request's whole length, or 0 where its length, API, version and client id's length are not a request's. */
export function requestLength(bytes: Uint8Array, at: number): number {
  const size = i32(bytes, at);
  if (size < REQUEST_HEADER - 4 || size > MESSAGE_MAXIMUM) return 0;
  const key = u16(bytes, at + 4);
  const version = u16(bytes, at + 6);
  if (key >= APIS.length + APIS_TO_COME || version > (APIS[key]?.newest ?? 0) + VERSIONS_TO_COME) return 0;
  const clientId = u16(bytes, at + 12);
  if (clientId === 0xffff) return size + 4;
  return clientId <= CLIENT_ID_MAXIMUM && clientId <= size - 10 ? size + 4 : 0;
}

/** Whether a request begins here: a look at REQUEST_SEEK bytes. */
export function requestBegins(bytes: Uint8Array, at: number): boolean {
  if (i32(bytes, at) > UNPROVEN_MAXIMUM || requestLength(bytes, at) === 0) return false;
  // An empty client id or none, next to the zeros of a body, proves nothing.
  const clientId = u16(bytes, at + 12);
  if (clientId === 0 || clientId === 0xffff) return false;
  return isText(bytes, at + 14, Math.min(at + 14 + clientId, at + REQUEST_SEEK));
}

/** Whether a client's first bytes, or those of a request, are Kafka's. A server's bytes alone are not enough. */
export function requestLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  if (end - start < REQUEST_HEADER) {
    // Length, API key and version have zeros where other protocols have none.
    for (let at = 0; at < end - start; at += 1) {
      const byte = u8(bytes, start + at);
      if ((at === 0 || at === 4 || at === 6) && byte !== 0) return 'no';
    }
    return end - start < 8 || i32(bytes, start) >= REQUEST_HEADER - 4 ? 'more' : 'no';
  }
  const size = i32(bytes, start);
  if (size > UNPROVEN_MAXIMUM || requestLength(bytes, start) === 0) return 'no';
  if (areHttp2Frames(bytes, start, end)) return 'no';
  const clientId = u16(bytes, start + 12);
  // Without a client id it has to be short, or lie whole in these bytes, to be believed.
  if (clientId === 0 || clientId === 0xffff) return size <= 256 || size + 4 === end - start ? 'client' : 'no';
  return isText(bytes, start + 14, Math.min(end, start + 14 + clientId)) ? 'client' : 'no';
}

/** Bytes of an HTTP/2 frame's header, and its highest type (RFC 9113, sections 4.1 and 6). */
const FRAME = { header: 9, types: 9 };

/**
 * Whether these bytes are whole frames of HTTP/2, the first one DATA: with a message of gRPC in it, its header looks like a Produce of version
 * 0 whose client id is the message.
 */
function areHttp2Frames(bytes: Uint8Array, start: number, end: number): boolean {
  if (u8(bytes, start + 3) !== 0) return false;
  let at = start;
  while (at + FRAME.header <= end && u8(bytes, at + 3) <= FRAME.types) {
    at += FRAME.header + (i32(bytes, at) >>> 8);
  }
  return at === end;
}

function isText(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = u8(bytes, at);
    if (byte < 0x20 || byte === 0x7f) return false;
  }
  return true;
}
