import { i32, u8, u16 } from '../../bytes.ts';
import type { Likeness } from '../protocol.ts';

/** Bytes of a header (Dubbo protocol, version 2). */
export const DUBBO_HEADER = 16;
const MAGIC = 0xdabb;
export const FLAG = { request: 0x80, twoWay: 0x40, event: 0x20, serialization: 0x1f } as const;
export const SERIALIZATION = { hessian2: 2, fastjson: 6 } as const;
/** Dubbo's own limit is 8 MB; it can be raised. */
const BODY_MAXIMUM = 256 * 1024 * 1024;

/** Statuses of responses. */
export const STATUSES: ReadonlyMap<number, string> = new Map([
  [20, 'OK'],
  [30, 'CLIENT_TIMEOUT'],
  [31, 'SERVER_TIMEOUT'],
  [35, 'CHANNEL_INACTIVE'],
  [40, 'BAD_REQUEST'],
  [50, 'BAD_RESPONSE'],
  [60, 'SERVICE_NOT_FOUND'],
  [70, 'SERVICE_ERROR'],
  [80, 'SERVER_ERROR'],
  [90, 'CLIENT_ERROR'],
  [100, 'SERVER_THREADPOOL_EXHAUSTED_ERROR'],
]);

/** The whole message's length; 0 for what is none. */
export function dubboLength(bytes: Uint8Array, start: number): number {
  if (u16(bytes, start) !== MAGIC) return 0;
  const body = i32(bytes, start + 12);
  return body < 0 || body > BODY_MAXIMUM ? 0 : DUBBO_HEADER + body;
}

/** Whether a message begins here: DUBBO_HEADER bytes. */
export function dubboBegins(bytes: Uint8Array, start: number): boolean {
  return side(bytes, start) !== 'no';
}

function side(bytes: Uint8Array, start: number): 'client' | 'server' | 'no' {
  if (dubboLength(bytes, start) === 0) return 'no';
  const flags = u8(bytes, start + 2);
  const status = u8(bytes, start + 3);
  if ((flags & FLAG.serialization) === 0) return 'no';
  // Of a request the byte of the status has no meaning, and is 0.
  if ((flags & FLAG.request) !== 0) return status === 0 ? 'client' : 'no';
  return STATUSES.has(status) ? 'server' : 'no';
}

/** Whether bytes are a client's or a server's; both may ask whether the other one is alive. */
export function dubboLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  if (u8(bytes, start) !== MAGIC >> 8 || (end - start > 1 && u8(bytes, start + 1) !== (MAGIC & 0xff))) return 'no';
  if (end - start < DUBBO_HEADER) return 'more';
  const likely = side(bytes, start);
  return likely !== 'no' && (u8(bytes, start + 2) & FLAG.event) !== 0 ? 'either' : likely;
}
