import { i32, u8 } from '../../bytes.ts';
import type { Likeness } from '../protocol.ts';
import { COMMANDS } from './commands.ts';

/** Bytes of both lengths, and of the type behind its tag. */
export const PULSAR_HEADER = 10;
/** Bytes that show that a command begins: with tag and length of its field. */
export const PULSAR_SEEK = 16;
const FRAME_MAXIMUM = 32 * 1024 * 1024;
const COMMAND_MAXIMUM = 1024 * 1024;
const TYPE_TAG = 0x08;

/** A varint, and where it ends; the value is -1 where it is not there. */
export interface Varint {
  readonly value: bigint;
  readonly end: number;
}

export function varint(bytes: Uint8Array, start: number, end: number): Varint {
  let value = 0n;
  for (let at = start; at < end && at < start + 10; at += 1) {
    const byte = u8(bytes, at);
    value |= BigInt(byte & 0x7f) << BigInt(7 * (at - start));
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return { value: -1n, end };
}

/** The whole frame's length; 0 for what is none. PULSAR_HEADER bytes. */
export function pulsarLength(bytes: Uint8Array, start: number): number {
  const total = i32(bytes, start);
  const command = i32(bytes, start + 4);
  if (total < 6 || total > FRAME_MAXIMUM || command < 2 || command > COMMAND_MAXIMUM || command + 4 > total) return 0;
  return u8(bytes, start + 8) === TYPE_TAG && COMMANDS.has(u8(bytes, start + 9)) ? total + 4 : 0;
}

/** Whether a command begins here whose field has its number and fills it: PULSAR_SEEK bytes, or all of a shorter one. */
export function pulsarBegins(bytes: Uint8Array, start: number, end: number): boolean {
  if (pulsarLength(bytes, start) === 0) return false;
  const stop = start + 8 + i32(bytes, start + 4);
  const tag = varint(bytes, start + PULSAR_HEADER, Math.min(end, stop));
  if (tag.value !== BigInt(u8(bytes, start + 9) * 8 + 2)) return false;
  const length = varint(bytes, tag.end, Math.min(end, stop));
  return length.value >= 0n && BigInt(length.end) + length.value === BigInt(stop);
}

/** Whether bytes begin a client's command or a server's. */
export function pulsarLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  if (u8(bytes, start) > 1) return 'no';
  if (end - start < PULSAR_HEADER) return end - start > 4 && u8(bytes, start + 4) !== 0 ? 'no' : 'more';
  const length = pulsarLength(bytes, start);
  if (length === 0) return 'no';
  if (end - start < Math.min(length, PULSAR_SEEK)) return 'more';
  if (!pulsarBegins(bytes, start, end)) return 'no';
  return COMMANDS.get(u8(bytes, start + 9))?.from ?? 'no';
}
