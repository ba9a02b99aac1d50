import { u8 } from '../../bytes.ts';
import { utf8 } from '../../record/text.ts';

/** Bytes of a tag and its length, at most: lengths of LDAP have four bytes. */
export const BER_HEADER_MAXIMUM = 6;

/** One element of BER with a definite length (X.690, section 8.1). Reused: read it at once. */
export class Element {
  tag = 0;
  /** Where its content begins and ends; the end may lie behind what is kept. */
  start = 0;
  end = 0;

  /** Reads the element that begins here. @returns whether its header is one; undefined where bytes of it are missing */
  read(bytes: Uint8Array, at: number, end: number): boolean | undefined {
    if (at + 2 > end) return undefined;
    this.tag = u8(bytes, at);
    const first = u8(bytes, at + 1);
    if (first < 0x80) {
      this.start = at + 2;
      this.end = this.start + first;
      return true;
    }
    const count = first & 0x7f;
    if (count === 0 || count > BER_HEADER_MAXIMUM - 2) return false;
    if (at + 2 + count > end) return undefined;
    let length = 0;
    for (let index = 0; index < count; index += 1) length = length * 256 + u8(bytes, at + 2 + index);
    this.start = at + 2 + count;
    this.end = this.start + length;
    return true;
  }

  /** Reads the element behind this one. */
  next(bytes: Uint8Array, end: number): boolean {
    return this.end < end && this.read(bytes, this.end, end) === true;
  }

  /** Its content as a number of up to 4 bytes; NaN where it is none, or not kept. */
  number(bytes: Uint8Array, end: number): number {
    const length = this.end - this.start;
    if (length < 1 || length > 4 || this.end > end) return Number.NaN;
    let value = u8(bytes, this.start) >= 0x80 ? -1 : 0;
    for (let at = this.start; at < this.end; at += 1) value = value * 256 + u8(bytes, at);
    return value;
  }

  /** Its content as text, as far as it is kept: with an ellipsis where it goes on. */
  text(bytes: Uint8Array, end: number): string {
    return this.end > end ? `${utf8(bytes, this.start, end)}…` : utf8(bytes, this.start, this.end);
  }
}
