import { u8 } from '../../bytes.ts';
import { latin1 } from '../../record/text.ts';

/** Bytes of a name with its labels' lengths and the root's (RFC 1035, section 2.3.4). */
export const NAME_MAXIMUM = 255;

const DOT = 0x2e;
const BACKSLASH = 0x5c;
export const POINTER = 0xc0;

/** Escapes make four characters of an byte. */
const scratch = new Uint8Array(NAME_MAXIMUM * 4);

/** A name where it is in a message: where it ends, and its bytes without compression. Reused: read it at once. */
class PlainName {
  readonly wire = new Uint8Array(NAME_MAXIMUM);
  length = 0;
  /** Behind the name, or its pointer, where it stands. */
  end = 0;
}

const plain = new PlainName();

/**
 * Behind a name, without following pointers.
 * @returns -1 when it is invalid, or does not end before `end`
 */
export function skipName(bytes: Uint8Array, at: number, end: number): number {
  for (let position = at; position < end && position - at < NAME_MAXIMUM; ) {
    const length = u8(bytes, position);
    if (length === 0) return position + 1;
    if (length >= POINTER) return position + 2 <= end ? position + 2 : -1;
    if (length > 63) return -1;
    position += length + 1;
  }
  return -1;
}

/**
 * A name without its compression (RFC 1035, section 4.1.4).
 * @param start of the message: pointers count from it, and may only point to what was before
 * @returns undefined for a loop, a pointer forward or out of the message, a label or a name that is too long
 */
export function readName(bytes: Uint8Array, start: number, at: number, end: number): PlainName | undefined {
  const { wire } = plain;
  let written = 0;
  let jumped = false;
  let floor = at;
  for (let position = at; position < end; ) {
    const length = u8(bytes, position);
    if (length >= POINTER) {
      if (position + 2 > end) return undefined;
      if (!jumped) plain.end = position + 2;
      jumped = true;
      const target = start + (((length & 0x3f) << 8) | u8(bytes, position + 1));
      if (target >= floor) return undefined;
      floor = target;
      position = target;
      continue;
    }
    if (length > 63 || position + length + 1 > end || written + length + 1 > NAME_MAXIMUM) return undefined;
    for (let index = 0; index <= length; index += 1) wire[written + index] = u8(bytes, position + index);
    written += length + 1;
    position += length + 1;
    if (length > 0) continue;
    if (!jumped) plain.end = position;
    plain.length = written;
    return plain;
  }
  return undefined;
}

/** A name for people, without the dot of the root; undefined where `readName` finds it invalid. */
export function nameAt(bytes: Uint8Array, start: number, at: number, end: number): string | undefined {
  const name = readName(bytes, start, at, end);
  return name === undefined ? undefined : nameText(name.wire, 0, name.length);
}

/**
 * Text of a name that is not compressed, `at` to `end`, its case as it is: `.` for the root, what is not printable ASCII
 * as `\DDD`, a dot or backslash in a label with a backslash (RFC 4343, section 2.1).
 */
export function nameText(bytes: Uint8Array, at: number, end: number): string {
  let written = 0;
  for (let position = at; position < end; ) {
    const length = u8(bytes, position);
    if (length === 0) break;
    if (written > 0) scratch[written++] = DOT;
    for (let index = position + 1; index <= position + length; index += 1) {
      const byte = u8(bytes, index);
      if (byte > 0x20 && byte < 0x7f) {
        if (byte === DOT || byte === BACKSLASH) scratch[written++] = BACKSLASH;
        scratch[written++] = byte;
        continue;
      }
      scratch[written++] = BACKSLASH;
      scratch[written++] = 0x30 + Math.floor(byte / 100);
      scratch[written++] = 0x30 + (Math.floor(byte / 10) % 10);
      scratch[written++] = 0x30 + (byte % 10);
    }
    position += length + 1;
  }
  return written === 0 ? '.' : latin1(scratch, 0, written);
}
