import { joinedBytes } from '../../../../wire/bytes.ts';
import { DynamicTable, type TableEntry } from '../../http2/dynamic-table.ts';
import { type OnField, UNKNOWN } from '../../http2/hpack.ts';
import type { Reserve } from '../received-stream.ts';
import { INVALID, MORE, PrefixedReader } from './prefixed.ts';
import { QPACK_STATIC_TABLE } from './qpack-static-table.ts';

/** Bytes of one header list, and of one instruction that is not whole. */
export const LIST_MAXIMUM = 256 * 1024;
const INSTRUCTION_MAXIMUM = 64 * 1024;
/** Larger tables are not believed. */
const TABLE_MAXIMUM = 1024 * 1024;

/** What became of a field section. */
export type Section = 'decoded' | 'blocked' | 'invalid';

/** QPACK (RFC 9204) of one direction: its encoder stream, and the field sections that refer to it. */
export class QpackDecoder {
  /** Bytes of the encoder stream were not captured, or made no sense: what the table holds is not known any more. */
  lost = false;
  readonly #table = new DynamicTable(0);
  /** Entries inserted so far: their absolute numbers, from 0. */
  #inserted = 0;
  /** What the other side allows at most (SETTINGS_QPACK_MAX_TABLE_CAPACITY); undefined where that was not seen. */
  #maximum: number | undefined;
  /** Of the sections that were found blocked: the least number of entries that one of them waits for. */
  #awaited = Number.POSITIVE_INFINITY;
  #rest: Uint8Array = new Uint8Array(0);
  readonly #reserve: Reserve;
  #reserved = 0;

  /** @param reserve memory of all connections together */
  constructor(reserve: Reserve) {
    this.#reserve = reserve;
  }

  /** The other side's SETTINGS. @param maximum bytes that it allows the table to have */
  allow(maximum: number): void {
    this.#maximum ??= maximum;
  }

  /** Whether a section that was blocked can be decoded now. Once: those that are still blocked are to be tried again. */
  takeUnblocked(): boolean {
    if (!this.lost && this.#inserted < this.#awaited) return false;
    this.#awaited = Number.POSITIVE_INFINITY;
    return true;
  }

  /** What the table holds is not known, or not wanted, any more. */
  forget(): void {
    this.lost = true;
    this.#rest = new Uint8Array(0);
    this.#table.clear();
    this.#hold(0);
  }

  /** Bytes of the encoder stream (section 4.3). */
  instructions(bytes: Uint8Array, start: number, end: number): void {
    if (this.lost) return;
    const given = bytes.subarray(start, end);
    const whole = this.#rest.length === 0 ? given : joinedBytes([this.#rest, given]);
    const reader = new PrefixedReader(whole, 0, whole.length);
    let read = 0;
    while (!reader.isAtEnd) {
      const done = this.#instruction(reader);
      if (done === MORE) break;
      if (done === INVALID) {
        this.forget();
        return;
      }
      read = reader.at;
    }
    this.#rest = whole.slice(read);
    if (this.#rest.length > INSTRUCTION_MAXIMUM || !this.#hold(this.#table.size + this.#rest.length)) this.forget();
  }

  /**
   * A whole field section (section 4.5).
   * @param force decode what waits for entries that have not come, with UNKNOWN in their place
   */
  section(bytes: Uint8Array, onField: OnField, force = false): Section {
    const reader = new PrefixedReader(bytes, 0, bytes.length);
    const encoded = reader.integer(8);
    if (encoded < 0 || reader.isAtEnd) return 'invalid';
    const isNegative = (reader.first & 0x80) !== 0;
    const delta = reader.integer(7);
    if (delta < 0) return 'invalid';
    const required = this.#required(encoded);
    if (required === undefined) return 'invalid';
    if (required > this.#inserted && !force && !this.lost) {
      this.#awaited = Math.min(this.#awaited, required);
      return 'blocked';
    }
    const base = isNegative ? required - delta - 1 : required + delta;
    let listBytes = 0;
    while (!reader.isAtEnd) {
      const field = this.#line(reader, base, required);
      if (field === undefined) return 'invalid';
      listBytes += field[0].length + field[1].length;
      if (listBytes > LIST_MAXIMUM) return 'invalid';
      onField(field[0], field[1]);
    }
    return 'decoded';
  }

  /** Section 4.5.1.1. @returns entries that have to be there; NaN where that is not known; undefined for an error */
  #required(encoded: number): number | undefined {
    if (encoded === 0) return 0;
    const maximum = this.#maximum;
    if (maximum === undefined || this.lost) return Number.NaN;
    const most = Math.floor(maximum / 32);
    if (encoded > 2 * most) return undefined;
    const highest = this.#inserted + most;
    let required = Math.floor(highest / (2 * most)) * 2 * most + encoded - 1;
    if (required > highest) required -= 2 * most;
    return required > 0 ? required : undefined;
  }

  #line(reader: PrefixedReader, base: number, required: number): TableEntry | undefined {
    const { first } = reader;
    // Indexed.
    if (first & 0x80) return this.#entry(reader.integer(6), (first & 0x40) !== 0, base, required);
    // A literal with the name of an entry.
    if (first & 0x40) {
      const entry = this.#entry(reader.integer(4), (first & 0x10) !== 0, base, required);
      return this.#withValue(entry?.[0], reader);
    }
    if (first & 0x20) {
      const name = reader.text(3, LIST_MAXIMUM);
      return this.#withValue(typeof name === 'string' ? name : undefined, reader);
    }
    // Behind the base: indexed, or a literal with the name of an entry.
    if (first & 0x10) return this.#behind(reader.integer(4), base, required);
    return this.#withValue(this.#behind(reader.integer(3), base, required)?.[0], reader);
  }

  #withValue(name: string | undefined, reader: PrefixedReader): TableEntry | undefined {
    if (name === undefined) return undefined;
    const value = reader.text(7, LIST_MAXIMUM);
    return typeof value === 'string' ? [name, value] : undefined;
  }

  #entry(index: number, isStatic: boolean, base: number, required: number): TableEntry | undefined {
    if (index < 0) return undefined;
    return isStatic ? QPACK_STATIC_TABLE[index] : this.#dynamic(base - index - 1, required);
  }

  #behind(index: number, base: number, required: number): TableEntry | undefined {
    return index < 0 ? undefined : this.#dynamic(base + index, required);
  }

  /** An entry by its absolute index: one that is not known where the table, or the index, is not known. */
  #dynamic(index: number, required: number): TableEntry | undefined {
    if (this.lost || Number.isNaN(index)) return [UNKNOWN, UNKNOWN];
    // A section refers only to what it requires (section 2.2.1).
    if (index < 0 || index >= required) return undefined;
    return this.#table.at(this.#inserted - 1 - index) ?? [UNKNOWN, UNKNOWN];
  }

  #instruction(reader: PrefixedReader): typeof MORE | typeof INVALID | undefined {
    const { first } = reader;
    if (first & 0x80) return this.#insert(reader, this.#named(reader, (first & 0x40) !== 0));
    if (first & 0x40) return this.#insert(reader, reader.text(5, INSTRUCTION_MAXIMUM));
    if (first & 0x20) {
      const capacity = reader.integer(5);
      if (capacity < 0) return capacity === MORE ? MORE : INVALID;
      if (capacity > (this.#maximum ?? TABLE_MAXIMUM) || capacity > TABLE_MAXIMUM) return INVALID;
      this.#table.setCapacity(capacity);
      return undefined;
    }
    const index = reader.integer(5);
    if (index < 0) return index === MORE ? MORE : INVALID;
    const entry = this.#table.at(index);
    if (entry === undefined) return INVALID;
    this.#add(...entry);
    return undefined;
  }

  /** The name of an entry that an insertion refers to. */
  #named(reader: PrefixedReader, isStatic: boolean): string | typeof MORE | typeof INVALID {
    const index = reader.integer(6);
    if (index < 0) return index === MORE ? MORE : INVALID;
    const entry = isStatic ? QPACK_STATIC_TABLE[index] : this.#table.at(index);
    return entry?.[0] ?? INVALID;
  }

  #insert(
    reader: PrefixedReader,
    name: string | typeof MORE | typeof INVALID,
  ): typeof MORE | typeof INVALID | undefined {
    if (typeof name !== 'string') return name;
    const value = reader.text(7, INSTRUCTION_MAXIMUM);
    if (typeof value !== 'string') return value;
    this.#add(name, value);
    return undefined;
  }
  #add(name: string, value: string): void {
    this.#table.add(name, value);
    this.#inserted += 1;
  }

  /** @returns whether so many bytes may be held */
  #hold(bytes: number): boolean {
    if (!this.#reserve(bytes - this.#reserved)) return false;
    this.#reserved = bytes;
    return true;
  }
}
