import { u8, u16 } from '../../bytes.ts';
import { SIDE, type Side } from '../../record/event.ts';
import type { Likeness } from '../protocol.ts';

/** Types of packets (MS-TDS, section 2.2.3.1.1). */
export const TYPE = {
  batch: 0x01,
  rpc: 0x03,
  response: 0x04,
  attention: 0x06,
  bulk: 0x07,
  federated: 0x08,
  transaction: 0x0e,
  login: 0x10,
  sspi: 0x11,
  prelogin: 0x12,
} as const;

const SENT: readonly ReadonlySet<number>[] = [
  new Set(Object.values(TYPE).filter((type) => type !== TYPE.response)),
  // The server's part of a TLS handshake comes in packets of the client's type.
  new Set([TYPE.response, TYPE.prelogin]),
];

/** Bytes of a packet's header, and of a TLS record's, which is shorter. */
export const PACKET_HEADER = 8;
export const HEADER = 5;
/** Largest packet; 4096 bytes at first. */
const PACKET_MAXIMUM = 32_768;

/** Bytes that show whether a message begins. */
export const SEEK = 40;

const LAST = 0x01;
const STATUS_MAXIMUM = 0x1f;
const RECORD_FIRST = 0x14;
const RECORD_LAST = 0x17;
const RECORD_MAXIMUM = 0x4800;

/** First tokens of a response (MS-TDS, section 2.2.7), with the number of a first packet they show one. */
const TOKENS = new Set([0x79, 0x81, 0xa9, 0xaa, 0xab, 0xad, 0xe3, 0xfd, 0xfe, 0xff]);

/** Whether a TLS record lies here in place of a packet. */
export function isRecord(bytes: Uint8Array, start: number): boolean {
  const first = u8(bytes, start);
  return first >= RECORD_FIRST && first <= RECORD_LAST;
}

/** A packet's or a TLS record's whole length; 0 for what is none of this side's, undefined where its header is not whole. */
export function tdsLength(side: Side, bytes: Uint8Array, start: number, end: number): number | undefined {
  if (isRecord(bytes, start)) {
    if (end - start < HEADER) return undefined;
    const length = u16(bytes, start + 3);
    return u8(bytes, start + 1) === 3 && length > 0 && length <= RECORD_MAXIMUM ? HEADER + length : 0;
  }
  if (!(SENT[side] as ReadonlySet<number>).has(u8(bytes, start))) return 0;
  if (end - start < PACKET_HEADER) return undefined;
  const length = u16(bytes, start + 2);
  // The last byte of the header is not used.
  const isSound = u8(bytes, start + 1) <= STATUS_MAXIMUM && u8(bytes, start + 7) === 0;
  return isSound && length >= PACKET_HEADER && length <= PACKET_MAXIMUM ? length : 0;
}

export function typeOf(bytes: Uint8Array, start: number): number {
  return u8(bytes, start);
}

/** Whether it is its message's last packet. */
export function isLast(bytes: Uint8Array, start: number): boolean {
  return (u8(bytes, start + 1) & LAST) !== 0;
}

/** Whether it may be its message's first packet, by its number. */
export function isFirst(bytes: Uint8Array, start: number): boolean {
  return u8(bytes, start + 6) <= 1;
}

/** Whether a message of a side begins here, by its header and the beginning of its payload. Undefined where that takes more bytes. */
export function messageBegins(side: Side, bytes: Uint8Array, start: number, end: number): boolean | undefined {
  if (isRecord(bytes, start)) return false;
  const length = tdsLength(side, bytes, start, end);
  if (length === undefined || length === 0) return length === undefined ? undefined : false;
  if (!isFirst(bytes, start)) return false;
  const at = start + PACKET_HEADER;
  const payload = length - PACKET_HEADER;
  const needed = Math.min(payload, SEEK - PACKET_HEADER);
  if (at + needed > end) return undefined;
  switch (typeOf(bytes, start)) {
    case TYPE.prelogin:
      return isPrelogin(bytes, at, payload) || (payload > 5 && u8(bytes, at) === 0x16 && u8(bytes, at + 1) === 3);
    case TYPE.login:
      return payload >= 32 && u32le(bytes, at) <= 0xffff && u8(bytes, at + 7) >= 0x70 && u8(bytes, at + 7) <= 0x74;
    case TYPE.batch:
      return payload > 24 && areHeaders(bytes, at) && isLetter(bytes, at + u32le(bytes, at), at + needed);
    case TYPE.rpc:
      return payload > 24 && areHeaders(bytes, at) && isProcedure(bytes, at + u32le(bytes, at), at + needed);
    case TYPE.transaction:
      return payload >= 24 && areHeaders(bytes, at);
    case TYPE.response:
      return isPrelogin(bytes, at, payload) || isToken(bytes, at, payload);
    default:
      return false;
  }
}

/** What a connection's first bytes, or those of a message, look like. */
export function tdsLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const type = typeOf(bytes, start);
  const side = type === TYPE.response ? SIDE.server : SIDE.client;
  const begins = messageBegins(side, bytes, start, end);
  if (begins !== true) return begins === undefined ? 'more' : 'no';
  // Both sides wrap their TLS handshakes in the same way.
  if (type === TYPE.prelogin && u8(bytes, start + PACKET_HEADER) === 0x16) return 'either';
  return side === SIDE.client ? 'client' : 'server';
}

/** Where a request's own contents begin: behind headers that TDS 7.2 and later put before them. */
export function behindHeaders(bytes: Uint8Array, start: number, end: number): number {
  return start + 22 <= end && areHeaders(bytes, start) ? Math.min(end, start + u32le(bytes, start)) : start;
}

export function u32le(bytes: Uint8Array, at: number): number {
  return u16le(bytes, at) + u16le(bytes, at + 2) * 0x10000;
}

export function u16le(bytes: Uint8Array, at: number): number {
  return u8(bytes, at) | (u8(bytes, at + 1) << 8);
}

/** The length of all headers, then that of the first and its type. */
function areHeaders(bytes: Uint8Array, at: number): boolean {
  const total = u32le(bytes, at);
  const first = u32le(bytes, at + 4);
  const type = u16le(bytes, at + 8);
  return total >= 10 && total <= 512 && first >= 6 && first <= total - 4 && type >= 1 && type <= 3;
}

/** A letter of UTF-16 as statements begin with. */
function isLetter(bytes: Uint8Array, at: number, end: number): boolean {
  if (at + 2 > end) return true;
  const letter = u16le(bytes, at);
  return (letter >= 0x20 && letter < 0x7f) || letter === 9 || letter === 10 || letter === 13;
}

/** A procedure's number behind 0xffff, or its name with its length. */
function isProcedure(bytes: Uint8Array, at: number, end: number): boolean {
  if (at + 4 > end) return true;
  const length = u16le(bytes, at);
  if (length === 0xffff) return u16le(bytes, at + 2) >= 1 && u16le(bytes, at + 2) <= 15;
  return length >= 1 && length <= 1046 && isLetter(bytes, at + 2, end);
}

/** The option of the version comes first: where its 6 bytes lie. */
function isPrelogin(bytes: Uint8Array, at: number, payload: number): boolean {
  if (payload < 12 || u8(bytes, at) !== 0 || u16(bytes, at + 3) !== 6) return false;
  return u16(bytes, at + 1) >= 6 && u16(bytes, at + 1) + 6 <= payload;
}

function isToken(bytes: Uint8Array, at: number, payload: number): boolean {
  const token = payload > 0 ? u8(bytes, at) : 0;
  if (!TOKENS.has(token) || payload < 5) return false;
  if (token >= 0xfd) return payload >= 9 && (u16le(bytes, at + 1) & ~0x133) === 0;
  const length = u16le(bytes, at + 1);
  if (token === 0x79) return payload >= 14;
  if (token === 0x81) return length === 0xffff || (length > 0 && length <= 1024);
  return length > 0 && length + 3 <= Math.max(payload, 4096);
}
