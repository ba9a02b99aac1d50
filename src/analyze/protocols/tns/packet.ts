import { i32, u8, u16 } from '../../bytes.ts';
import { latin1 } from '../../record/text.ts';
import type { Likeness } from '../protocol.ts';

/** Bytes of a packet's header, and of what shows that a connection begins. */
export const TNS_HEADER = 8;
export const TNS_SEEK = 28;
export const TYPE = { connect: 1, accept: 2, refuse: 4, redirect: 5, data: 6, resend: 11 } as const;
const TYPE_MAXIMUM = 15;
/** Versions in use: Oracle 8 to 23. */
const VERSION = { least: 300, most: 399 } as const;
const PACKET_MAXIMUM = 2 * 1024 * 1024 + 64;
const CONNECT_MINIMUM = 34;
const ACCEPT_MAXIMUM = 128;
const DESCRIPTION = '(DESCRIPTION=';

/**
 * A packet's length: two bytes and a checksum, which is 0, or from version 315 on four bytes behind the ACCEPT. 0 for what is
 * none.
 */
export function tnsLength(bytes: Uint8Array, start: number): number {
  const type = u8(bytes, start + 4);
  if (type === 0 || type > TYPE_MAXIMUM) return 0;
  const short = u16(bytes, start);
  const length = short !== 0 && u16(bytes, start + 2) === 0 ? short : i32(bytes, start);
  return length < TNS_HEADER || length > PACKET_MAXIMUM ? 0 : length;
}

/** Whether a packet begins here that begins a connection, or answers one: TNS_SEEK bytes, or all of a shorter one. */
export function tnsBegins(bytes: Uint8Array, start: number, end: number): 'client' | 'server' | undefined {
  const length = u16(bytes, start);
  if (u16(bytes, start + 2) !== 0 || u16(bytes, start + 6) !== 0) return undefined;
  const version = u16(bytes, start + 8);
  const isVersion = version >= VERSION.least && version <= VERSION.most;
  switch (u8(bytes, start + 4)) {
    case TYPE.connect: {
      const compatible = u16(bytes, start + 10);
      const isWhole = length >= CONNECT_MINIMUM && end - start >= TNS_SEEK;
      return isWhole &&
        isVersion &&
        compatible >= VERSION.least &&
        compatible <= version &&
        u16(bytes, start + 26) <= 100
        ? 'client'
        : undefined;
    }
    case TYPE.accept:
      return isVersion && length >= 24 && length <= ACCEPT_MAXIMUM ? 'server' : undefined;
    case TYPE.refuse: {
      const text = latin1(bytes, start + 12, Math.min(end, start + 12 + DESCRIPTION.length));
      return text.length >= 8 && DESCRIPTION.startsWith(text) && u16(bytes, start + 10) + 12 === length
        ? 'server'
        : undefined;
    }
    default:
      return undefined;
  }
}

/** Whether bytes are the beginning of a connection, or the answer to it. */
export function tnsLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const available = end - start;
  if (available < TNS_HEADER) {
    if (available >= 4 && u16(bytes, start + 2) !== 0) return 'no';
    return available >= 5 && u8(bytes, start + 4) > TYPE.refuse ? 'no' : 'more';
  }
  const type = u8(bytes, start + 4);
  const isOurs = type === TYPE.connect || type === TYPE.accept || type === TYPE.refuse;
  if (!isOurs || u16(bytes, start + 2) !== 0 || u16(bytes, start + 6) !== 0 || u16(bytes, start) < 24) return 'no';
  if (available < TNS_SEEK && available < u16(bytes, start)) return 'more';
  return tnsBegins(bytes, start, end) ?? 'no';
}
