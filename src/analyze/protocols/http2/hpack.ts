import { latin1 } from '../../record/text.ts';
import { DynamicTable, type TableEntry } from './dynamic-table.ts';
import { huffmanText } from './huffman.ts';
import { STATIC_TABLE } from './static-table.ts';

const SIZE_DEFAULT = 4096;
/** Larger tables are not believed. */
const SIZE_MAXIMUM = 1024 * 1024;
/** Bytes of one header list. */
const LIST_MAXIMUM = 256 * 1024;

/** What stands where the table's entry was made before the capture began. */
export const UNKNOWN = '?';

/** The field just read; UNKNOWN where the capture does not contain it. */
export type OnField = (name: string, value: string) => void;

/** HPACK (RFC 7541) of one direction. */
export class HpackDecoder {
  readonly #table = new DynamicTable(SIZE_DEFAULT);
  /** The capture began in the middle, or lost a header block: entries below those seen since are not known. */
  #partial: boolean;
  #at = 0;

  constructor(partial: boolean) {
    this.#partial = partial;
  }

  /** A header block was not seen: what the table holds is not known any more. */
  forget(): void {
    this.#table.clear();
    this.#partial = true;
  }

  /** Decode a whole header block. @returns false when it is invalid: the dynamic table is unknown from then on */
  decode(bytes: Uint8Array, start: number, end: number, onField: OnField): boolean {
    this.#at = start;
    let listBytes = 0;
    while (this.#at < end) {
      const first = bytes[this.#at] as number;
      if (first & 0x80) {
        const index = this.#integer(bytes, end, 7);
        if (!(index > 0) || !this.#known(index)) return false;
        onField(this.#name(index), this.#value(index));
      } else if ((first & 0xe0) === 0x20) {
        const size = this.#integer(bytes, end, 5);
        if (!(size >= 0 && size <= SIZE_MAXIMUM)) return false;
        this.#table.setCapacity(size);
      } else {
        const indexed = (first & 0xc0) === 0x40;
        const index = this.#integer(bytes, end, indexed ? 6 : 4);
        if (!(index >= 0) || (index > 0 && !this.#known(index))) return false;
        const name = index === 0 ? this.#text(bytes, end) : this.#name(index);
        const value = name === undefined ? undefined : this.#text(bytes, end);
        if (name === undefined || value === undefined) return false;
        listBytes += name.length + value.length;
        if (listBytes > LIST_MAXIMUM) return false;
        if (indexed) this.#table.add(name, value);
        onField(name, value);
      }
    }
    return true;
  }

  #known(index: number): boolean {
    return this.#partial || index <= STATIC_TABLE.length + this.#table.length;
  }

  #name(index: number): string {
    return this.#entry(index)?.[0] ?? UNKNOWN;
  }

  #value(index: number): string {
    return this.#entry(index)?.[1] ?? UNKNOWN;
  }

  #entry(index: number): TableEntry | undefined {
    return STATIC_TABLE[index - 1] ?? this.#table.at(index - STATIC_TABLE.length - 1);
  }

  /** Section 5.1. @returns NaN when it does not end, or is larger than anything here can be */
  #integer(bytes: Uint8Array, end: number, bits: number): number {
    const mask = 2 ** bits - 1;
    let value = (bytes[this.#at] as number) & mask;
    this.#at += 1;
    if (value < mask) return value;
    for (let shift = 0; shift < 28 && this.#at < end; shift += 7) {
      const byte = bytes[this.#at] as number;
      this.#at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  }

  /** Section 5.2; undefined when it is none. */
  #text(bytes: Uint8Array, end: number): string | undefined {
    if (this.#at >= end) return undefined;
    const huffman = ((bytes[this.#at] as number) & 0x80) !== 0;
    const length = this.#integer(bytes, end, 7);
    if (!(length <= end - this.#at)) return undefined;
    const start = this.#at;
    this.#at += length;
    return huffman ? huffmanText(bytes, start, start + length) : latin1(bytes, start, start + length);
  }
}
