import { latin1 } from './text.ts';

/** Places, a power of two: a text that comes again to the same place is not made again. */
const PLACES = 4096;
/** Bytes of texts that are remembered. */
const WIDTH = 96;

/** Texts of bytes, the same few over and over: found by their bytes, without making a string to look them up. */
export class TextTable {
  readonly #width: number;
  readonly #make: (bytes: Uint8Array, start: number, end: number) => string;
  readonly #bytes: Uint8Array;
  readonly #lengths = new Uint16Array(PLACES);
  readonly #texts: (string | undefined)[] = new Array<string | undefined>(PLACES).fill(undefined);

  /**
   * @param make the text of bytes; each byte one character without
   * @param width bytes of the longest text that is remembered, below 65,536
   */
  constructor(make: (bytes: Uint8Array, start: number, end: number) => string = latin1, width = WIDTH) {
    this.#make = make;
    this.#width = width;
    this.#bytes = new Uint8Array(PLACES * width);
  }

  /** The text; mostly the same string object for the same bytes. */
  text(bytes: Uint8Array, start: number, end: number): string {
    const length = end - start;
    if (length > this.#width || length <= 0) return this.#make(bytes, start, end);
    let hash = length;
    for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
    const place = (hash ^ (hash >>> 15)) & (PLACES - 1);
    const known = this.#texts[place];
    const from = place * this.#width;
    const knownBytes = this.#bytes;
    if (known !== undefined && this.#lengths[place] === length) {
      let index = 0;
      while (index < length && knownBytes[from + index] === bytes[start + index]) index += 1;
      if (index === length) return known;
    }
    const text = this.#make(bytes, start, end);
    for (let index = 0; index < length; index += 1) knownBytes[from + index] = bytes[start + index] as number;
    this.#lengths[place] = length;
    this.#texts[place] = text;
    return text;
  }
}
