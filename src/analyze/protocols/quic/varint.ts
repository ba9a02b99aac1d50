import { i32, u8, u16 } from '../../bytes.ts';

/** Reads variable-length integers (RFC 9000 section 16) one after the other. */
export class VarintReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** @returns the next integer; NaN when it is not whole (every later one is NaN as well) */
  next(): number {
    const { bytes, at } = this;
    const size = at < this.end ? 1 << (u8(bytes, at) >>> 6) : 1;
    this.at = at + size;
    if (this.at > this.end) {
      this.at = this.end;
      return Number.NaN;
    }
    if (size === 1) return u8(bytes, at) & 0x3f;
    if (size === 2) return u16(bytes, at) & 0x3fff;
    const high = i32(bytes, at) & 0x3fffffff;
    return size === 4 ? high : high * 2 ** 32 + (i32(bytes, at + 4) >>> 0);
  }
}
