import { latin1 } from '../../../record/text.ts';
import { huffmanText } from '../../http2/huffman.ts';

/** What does not end within the bytes at hand. */
export const MORE = -1;
/** What is none, or larger than anything here can be. */
export const INVALID = -2;

/** Reads HPACK's integers and strings as QPACK has them: with a prefix of any length (RFC 9204 section 4.1). */
export class PrefixedReader {
  at: number;
  readonly #bytes: Uint8Array;
  readonly #end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.at = start;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#end;
  }

  /** The byte that comes next; there has to be one. */
  get first(): number {
    return this.#bytes[this.at] as number;
  }

  /** @param bits of the prefix, low ones of the first byte @returns an integer below 2^35; MORE or INVALID */
  integer(bits: number): number {
    if (this.isAtEnd) return MORE;
    const mask = 2 ** bits - 1;
    let value = this.first & mask;
    this.at += 1;
    if (value < mask) return value;
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.isAtEnd) return MORE;
      const byte = this.first;
      this.at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return INVALID;
  }

  /**
   * @param bits of the length's prefix; the bit above them tells whether the text is Huffman-coded
   * @param most bytes it may have
   */
  text(bits: number, most: number): string | typeof MORE | typeof INVALID {
    if (this.isAtEnd) return MORE;
    const huffman = (this.first & (1 << bits)) !== 0;
    const length = this.integer(bits);
    if (length === MORE) return MORE;
    if (length < 0 || length > most) return INVALID;
    const start = this.at;
    if (length > this.#end - start) return MORE;
    this.at += length;
    if (!huffman) return latin1(this.#bytes, start, start + length);
    return huffmanText(this.#bytes, start, start + length) ?? INVALID;
  }
}
