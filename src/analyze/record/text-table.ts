import { i32, u8 } from '../bytes.ts';
import { latin1 } from './text.ts';

/** Places, a power of two: a text that comes again to the same place is not made again. */
const PLACES = 4096;
/** Bytes of texts that are remembered. */
const WIDTH = 96;

/** Texts found again while as many as there are places were not: with fewer, so many are made without the table. */
const REUSED_MINIMUM = 256;
const UNCACHED = 16 * PLACES;

/**
 * Texts of bytes, the same few over and over: found by their bytes, without making a string to look them up. Four bytes at a time are
 * hashed and compared. Where texts do not come again, looking them up costs more than making them: then the table rests for a while.
 */
export class TextTable {
  readonly #width: number;
  readonly #make: (bytes: Uint8Array, start: number, end: number) => string;
  /** Int32s of a place. */
  readonly #stride: number;
  readonly #known: Int32Array;
  readonly #lengths = new Uint16Array(PLACES);
  readonly #texts: (string | undefined)[] = new Array<string | undefined>(PLACES).fill(undefined);
  /** The bytes that are looked up. */
  readonly #words: Int32Array;
  /** Texts found, and texts made, since it was last decided whether looking them up pays; texts that are made without it from now on. */
  #found = 0;
  #made = 0;
  #uncached = 0;

  /**
   * @param make the text of bytes; each byte one character without
   * @param width bytes of the longest text that is remembered, below 65,536
   */
  constructor(make: (bytes: Uint8Array, start: number, end: number) => string = latin1, width = WIDTH) {
    this.#make = make;
    this.#width = width;
    this.#stride = (width + 3) >> 2;
    this.#known = new Int32Array(PLACES * this.#stride);
    this.#words = new Int32Array(this.#stride);
  }

  /** The text; mostly the same string object for the same bytes. */
  text(bytes: Uint8Array, start: number, end: number): string {
    const length = end - start;
    if (length > this.#width || length <= 0) return this.#make(bytes, start, end);
    if (this.#uncached > 0) {
      this.#uncached -= 1;
      return this.#make(bytes, start, end);
    }
    const words = this.#words;
    let count = 0;
    let hash = length;
    let at = start;
    for (; at + 4 <= end; at += 4) {
      const word = i32(bytes, at);
      words[count] = word;
      count += 1;
      hash = Math.imul(hash ^ word, 0x85ebca6b);
      hash ^= hash >>> 15;
    }
    if (at < end) {
      let word = 0;
      for (; at < end; at += 1) word = (word << 8) | u8(bytes, at);
      words[count] = word;
      count += 1;
      hash = Math.imul(hash ^ word, 0x85ebca6b);
      hash ^= hash >>> 15;
    }
    const place = hash & (PLACES - 1);
    const text = this.#texts[place];
    if (text !== undefined && this.#lengths[place] === length && this.#isKnown(place, count)) {
      this.#found += 1;
      return text;
    }
    return this.#remember(place, count, length, this.#make(bytes, start, end));
  }

  #isKnown(place: number, count: number): boolean {
    const known = this.#known;
    const words = this.#words;
    const from = place * this.#stride;
    for (let index = 0; index < count; index += 1) if (known[from + index] !== words[index]) return false;
    return true;
  }

  #remember(place: number, count: number, length: number, text: string): string {
    const from = place * this.#stride;
    for (let index = 0; index < count; index += 1) this.#known[from + index] = this.#words[index] as number;
    this.#lengths[place] = length;
    this.#texts[place] = text;
    this.#made += 1;
    if (this.#made === PLACES) {
      if (this.#found < REUSED_MINIMUM) this.#uncached = UNCACHED;
      this.#made = 0;
      this.#found = 0;
    }
    return text;
  }
}
