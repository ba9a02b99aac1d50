import { bitWidthOf, type EncodedValues, Room, type Values } from './values.ts';

/** Bytes of UTF-8 that a UTF-16 unit needs at most. */
const UTF8_BYTES = 3;
const LENGTH_BYTES = 4;
const INDEX_BYTES = 4;

/** A dictionary is written if it and its indexes need at most this share of what the texts need. */
const DICTIONARY_SHARE = 0.7;

/** After a row group whose texts were not worth a dictionary, so many are written without looking for equal texts. */
const GROUPS_WITHOUT = 7;

/**
 * Texts. Names, methods, statuses and addresses repeat: each different text is kept once, and rows have its number. Texts that hardly
 * repeat, such as numbers of requests, become UTF-8 at once, so that the row's own copy can go.
 */
export class TextValues implements Values {
  /** Values are written as JSON, also those that are texts. */
  readonly #isJson: boolean;
  readonly #indexOf = new Map<string, number>();
  /** With a dictionary: numbers of texts in `#indexOf`. */
  readonly #indexes = new Room();
  /** Without: lengths and bytes of the texts. */
  readonly #plain = new Room();
  #plainLength = 0;
  #count = 0;
  #last: string | undefined;
  #lastIndex = 0;
  #groupsWithout = 0;

  constructor(isJson: boolean) {
    this.#isJson = isJson;
  }

  add(value: unknown): number {
    const text = typeof value === 'string' && !this.#isJson ? value : JSON.stringify(value);
    if (this.#groupsWithout > 0) {
      this.#write(text);
      this.#count += 1;
      return text.length;
    }
    let characters = 0;
    if (text !== this.#last) {
      let index = this.#indexOf.get(text);
      if (index === undefined) {
        index = this.#indexOf.size;
        this.#indexOf.set(text, index);
        characters = text.length;
      }
      this.#last = text;
      this.#lastIndex = index;
    }
    const at = this.#count * INDEX_BYTES;
    this.#indexes.fit(at + INDEX_BYTES);
    this.#indexes.view.setUint32(at, this.#lastIndex, true);
    this.#count += 1;
    return characters;
  }

  encode(): EncodedValues {
    if (this.#groupsWithout > 0) return { values: this.#written() };
    const entries = this.#indexOf.size;
    const starts = new Uint32Array(entries + 1);
    let entry = 0;
    for (const text of this.#indexOf.keys()) {
      this.#write(text);
      entry += 1;
      starts[entry] = this.#plainLength;
    }
    const indexes = new Uint32Array(this.#indexes.bytes.buffer, 0, this.#count);
    let plainLength = 0;
    for (const index of indexes) plainLength += (starts[index + 1] ?? 0) - (starts[index] ?? 0);
    const bitWidth = bitWidthOf(Math.max(0, entries - 1));
    if (this.#plainLength + (this.#count * bitWidth) / 8 <= DICTIONARY_SHARE * plainLength) {
      return { dictionary: { bytes: this.#written(), entries }, values: { indexes, bitWidth } };
    }
    // One more than is left then: `clear` counts this row group.
    this.#groupsWithout = GROUPS_WITHOUT + 1;
    return { values: repeated(this.#written(), starts, indexes, plainLength) };
  }

  clear(keep: boolean): void {
    this.#indexOf.clear();
    this.#last = undefined;
    this.#count = 0;
    this.#plainLength = 0;
    if (this.#groupsWithout > 0) this.#groupsWithout -= 1;
    this.#indexes.rewind(keep);
    this.#plain.rewind(keep);
  }

  #write(text: string): void {
    const at = this.#plainLength;
    this.#plain.fit(at + LENGTH_BYTES + UTF8_BYTES * text.length);
    const { bytes, view } = this.#plain;
    const length = writeUtf8(bytes, text, at + LENGTH_BYTES);
    view.setUint32(at, length, true);
    this.#plainLength = at + LENGTH_BYTES + length;
  }

  #written(): Uint8Array {
    return this.#plain.bytes.subarray(0, this.#plainLength);
  }
}

/** PLAIN values of a dictionary's entries, in the order of the rows. */
function repeated(entries: Uint8Array, starts: Uint32Array, indexes: Uint32Array, length: number): Uint8Array {
  const plain = new Uint8Array(length);
  let at = 0;
  for (const index of indexes) {
    const entry = entries.subarray(starts[index], starts[index + 1]);
    plain.set(entry, at);
    at += entry.length;
  }
  return plain;
}

/** Texts up to this length are written faster here than by Node's own code, if they are ASCII. */
const SHORT = 64;
const ASCII_END = 0x80;
const encoder = new TextEncoder();

/** @returns the number of bytes. A half of a surrogate pair becomes U+FFFD. */
function writeUtf8(bytes: Uint8Array, text: string, start: number): number {
  if (text.length <= SHORT) {
    let at = 0;
    while (at < text.length) {
      const unit = text.charCodeAt(at);
      if (unit >= ASCII_END) break;
      bytes[start + at] = unit;
      at += 1;
    }
    if (at === text.length) return at;
  }
  return encoder.encodeInto(text, bytes.subarray(start)).written;
}
