import { i32, u8, u16 } from '../../bytes.ts';
import { SIDE } from '../../record/event.ts';
import type { Likeness } from '../protocol.ts';
import { METHODS, methodId } from './methods.ts';

/** Types of frames. */
export const METHOD = 1;
export const HEADER = 2;
const BODY = 3;
const HEARTBEAT = 8;

/** Bytes of type, channel and length; with class and method. */
export const FRAME_HEADER = 7;
export const METHOD_HEADER = 11;

/** The byte that ends a frame. */
const FRAME_END = 0xce;

/** Longest payload that is accepted: RabbitMQ's default limit is 128 KiB. */
const PAYLOAD_MAXIMUM = 16 * 1024 * 1024;

/** Most channels that are accepted: RabbitMQ's default limit is 2047. */
const CHANNELS_MAXIMUM = 8192;

/** What a connection begins with: `AMQP` 0 0 9 1. */
export const GREETING_LENGTH = 8;
const GREETING = [0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1];

/** Bytes of the greeting that are here, as far as they go: 0 when these are others. */
export function greetingBytes(bytes: Uint8Array, start: number, end: number): number {
  const length = Math.min(GREETING_LENGTH, end - start);
  for (let at = 0; at < length; at += 1) if (u8(bytes, start + at) !== GREETING[at]) return 0;
  return length;
}

/** A frame's whole length (or a greeting's), from its first FRAME_HEADER bytes; 0 for an invalid one. */
export function frameLength(bytes: Uint8Array, at: number): number {
  const type = u8(bytes, at);
  const channel = u16(bytes, at + 1);
  const size = i32(bytes, at + 3);
  if (type === HEARTBEAT) return channel === 0 && size === 0 ? FRAME_HEADER + 1 : 0;
  // Another version's greeting is one too, when a server refuses this one.
  if (type === 0x41) return greetingBytes(bytes, at, at + 4) === 4 ? GREETING_LENGTH : 0;
  if (type < METHOD || type > BODY || channel >= CHANNELS_MAXIMUM || size < 0 || size > PAYLOAD_MAXIMUM) return 0;
  if (type === METHOD && size < 4) return 0;
  return FRAME_HEADER + size + 1;
}

/** Whether a method begins here: a look at METHOD_HEADER bytes. */
export function methodBegins(bytes: Uint8Array, at: number): boolean {
  if (u8(bytes, at) !== METHOD || frameLength(bytes, at) === 0 || i32(bytes, at + 3) > 0xffff) return false;
  return METHODS.has(methodId(u16(bytes, at + 7), u16(bytes, at + 9)));
}

/** Who sends this: by the greeting, or by the first method that only one side sends. */
export function amqpLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const greeting = greetingBytes(bytes, start, end);
  if (greeting > 0) return greeting === GREETING_LENGTH ? 'client' : 'more';
  for (let at = start; at < end; ) {
    const first = u8(bytes, at);
    if ((first < METHOD || first > BODY) && first !== HEARTBEAT) return 'no';
    if (end - at < FRAME_HEADER) return 'more';
    const length = frameLength(bytes, at);
    if (length === 0) return 'no';
    if (at + length <= end && u8(bytes, at + length - 1) !== FRAME_END) return 'no';
    if (first === METHOD) {
      if (end - at < METHOD_HEADER) return 'more';
      const method = METHODS.get(methodId(u16(bytes, at + 7), u16(bytes, at + 9)));
      if (method === undefined || !methodBegins(bytes, at)) return 'no';
      if (method.from !== undefined) return method.from === SIDE.client ? 'client' : 'server';
    }
    at += length;
  }
  return 'more';
}
