import { u8, u16 } from '../../bytes.ts';
import { utf8 } from '../../record/text.ts';

/** Characters of one string that are read. */
const STRING_MAXIMUM = 1024;

/** Reads what Dubbo puts at the beginning of its bodies in Hessian 2: strings, small numbers, the name of a class. */
export class Hessian {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** The next string; undefined where there is none, or not all of it. Its length counts UTF-16 units. */
  string(): string | undefined {
    if (this.#at >= this.#end) return undefined;
    const first = u8(this.#bytes, this.#at);
    let length = 0;
    let at = this.#at + 1;
    if (first < 0x20) length = first;
    else if (first >= 0x30 && first <= 0x33 && at < this.#end) {
      length = ((first - 0x30) << 8) | u8(this.#bytes, at);
      at += 1;
    } else if (first === 0x53 && at + 2 <= this.#end) {
      length = u16(this.#bytes, at);
      at += 2;
    } else return undefined;
    if (length > STRING_MAXIMUM) return undefined;
    const start = at;
    for (let units = 0; units < length; units += 1) {
      if (at >= this.#end) return undefined;
      const byte = u8(this.#bytes, at);
      // Hessian writes each UTF-16 unit on its own, in up to three bytes.
      at += byte < 0x80 ? 1 : byte < 0xe0 ? 2 : 3;
    }
    if (at > this.#end) return undefined;
    this.#at = at;
    return utf8(this.#bytes, start, at);
  }

  /** A number from -16 to 47; undefined for another, or where there is none. */
  small(): number | undefined {
    if (this.#at >= this.#end) return undefined;
    const first = u8(this.#bytes, this.#at);
    if (first < 0x80 || first > 0xbf) return undefined;
    this.#at += 1;
    return first - 0x90;
  }

  /** The name of the class of an object that is defined here. */
  className(): string | undefined {
    if (this.#at >= this.#end || u8(this.#bytes, this.#at) !== 0x43) return undefined;
    this.#at += 1;
    return this.string();
  }
}
