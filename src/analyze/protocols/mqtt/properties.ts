import { u8, u16 } from '../../bytes.ts';
import { utf8 } from '../../record/text.ts';

const BYTE = new Set([0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2a]);
const TWO = new Set([0x13, 0x21, 0x22, 0x23]);
const FOUR = new Set([0x02, 0x11, 0x18, 0x27]);
const TEXT = new Set([0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1a, 0x1c, 0x1f]);
const VARIABLE = 0x0b;
const PAIR = 0x26;
const TOPIC_ALIAS = 0x23;
const REASON_STRING = 0x1f;

/** What ksnoop reads of the properties of an MQTT 5 packet (section 2.2.2). */
export interface Properties {
  /** Where what follows them begins; `end` where they are not whole. */
  readonly next: number;
  /** 0 without. */
  readonly topicAlias: number;
  readonly reason: string;
}

/** Reads the properties that begin with their length here. */
export function readProperties(bytes: Uint8Array, start: number, end: number): Properties {
  let topicAlias = 0;
  let reason = '';
  let length = 0;
  let at = start;
  for (let shift = 0; at < end && shift < 4; shift += 1) {
    const byte = u8(bytes, at);
    length += (byte & 0x7f) * 128 ** shift;
    at += 1;
    if (byte < 0x80) break;
  }
  const next = Math.min(end, at + length);
  while (at < next) {
    const id = u8(bytes, at);
    const value = at + 1;
    const size = sizeOf(id, bytes, value, next);
    if (size < 0 || value + size > next) break;
    if (id === TOPIC_ALIAS) topicAlias = u16(bytes, value);
    else if (id === REASON_STRING) reason = utf8(bytes, value + 2, value + size);
    at = value + size;
  }
  return { next, topicAlias, reason };
}

/** Bytes of a property's value; -1 where that is not known. */
function sizeOf(id: number, bytes: Uint8Array, at: number, end: number): number {
  if (BYTE.has(id)) return 1;
  if (TWO.has(id)) return 2;
  if (FOUR.has(id)) return 4;
  if (TEXT.has(id)) return at + 2 <= end ? 2 + u16(bytes, at) : -1;
  if (id === PAIR) {
    const first = at + 2 <= end ? 2 + u16(bytes, at) : -1;
    return first >= 0 && at + first + 2 <= end ? first + 2 + u16(bytes, at + first) : -1;
  }
  if (id !== VARIABLE) return -1;
  for (let size = 1; size <= 4; size += 1) if (at + size <= end && u8(bytes, at + size - 1) < 0x80) return size;
  return -1;
}
