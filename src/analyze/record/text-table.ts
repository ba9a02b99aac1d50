import { latin1 } from './text.ts';

/** Places, a power of two: a text that comes again to the same place is not made again. */
const PLACES = 4096;
/** Bytes of texts that are remembered. */
const WIDTH = 96;

/** Texts of bytes, the same few over and over: found by their bytes, without making a string to look them up. */
export class TextTable {
  readonly #bytes = new Uint8Array(PLACES * WIDTH);
  readonly #texts: (string | undefined)[] = new Array<string | undefined>(PLACES).fill(undefined);

  /** The text, each byte one character; mostly the same string object for the same bytes. */
  text(bytes: Uint8Array, start: number, end: number): string {
    const length = end - start;
    if (length > WIDTH || length <= 0) return latin1(bytes, start, end);
    let hash = length;
    for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
    const place = (hash ^ (hash >>> 15)) & (PLACES - 1);
    const known = this.#texts[place];
    const from = place * WIDTH;
    const knownBytes = this.#bytes;
    if (known !== undefined && known.length === length) {
      let index = 0;
      while (index < length && knownBytes[from + index] === bytes[start + index]) index += 1;
      if (index === length) return known;
    }
    const text = latin1(bytes, start, end);
    for (let index = 0; index < length; index += 1) knownBytes[from + index] = bytes[start + index] as number;
    this.#texts[place] = text;
    return text;
  }
}
