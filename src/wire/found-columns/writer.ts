import { FOUND_MAXIMUM } from '../found-block.ts';
import { ColumnBytes } from './bytes.ts';
import { type Column, columnsOf } from './columns.ts';
import {
  BATCH_TEXTS_MAXIMUM,
  TEMPLATE_CHARACTERS_MAXIMUM,
  TEMPLATE_SLOTS_MAXIMUM,
  TEMPLATES_MAXIMUM,
} from './limits.ts';
import { type NumberColumn, writeNumber } from './numbers.ts';
import { WrittenStrings } from './strings.ts';
import { LIST_STRIDE, type SlotValue, type SplitJson, splitJson } from './template.ts';

/** Where a text belongs: all of one batch are of one interface. */
export interface FoundAt {
  readonly interfaceId: number;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
}

/** A batch is full with so many characters of JSON text: longer ones compress no better. */
const FULL_CHARACTERS = 512 * 1024;

/** Values of one text. */
const VALUES_MAXIMUM = 4_096;

/** UTF-8 takes up to three bytes for each character of a string, an escape six characters. */
const CHARACTERS_MAXIMUM = FOUND_MAXIMUM / 3;
const SURE_CHARACTERS = CHARACTERS_MAXIMUM / 6;

/** So close are times one after another in a batch, ns: their differences are exact. */
const STEP_NS = 2n ** 50n;

/** A template with what waits to be written of it. */
interface Template {
  readonly index: number;
  /** By slot. */
  readonly columns: Column[];
  /** By slot: a value of each text. */
  values: SlotValue[][];
}

/**
 * Writes JSON texts in columns: texts that differ in numbers and strings only have one template, which is sent once; of each slot
 * of a template the values stand together, as they are alike. Templates and strings are remembered from batch to batch, so batches
 * must be read in their order. FoundColumnsReader makes the texts of them again.
 */
export class FoundColumnsWriter {
  #templates = new Map<string, Template>();
  #slots = 0;
  #templateCharacters = 0;
  #strings = new WrittenStrings();
  readonly #bytes = new ColumnBytes();
  // Of the batch at hand.
  #begins = true;
  #at: FoundAt | undefined;
  #characters = 0;
  #times: number[] = [];
  #order: Template[] = [];
  #new: string[] = [];
  #last = 0n;

  /** Whether texts wait. */
  get isEmpty(): boolean {
    return this.#at === undefined;
  }

  /**
   * Take what is to become a JSON text.
   * @returns `full`: the batch must be taken first, then it has room; `long`: it is too long for a block
   */
  add(at: FoundAt, found: unknown): 'added' | 'full' | 'long' {
    const split = splitJson(found);
    if (split.values.length > VALUES_MAXIMUM || isTooLong(split)) return 'long';
    const { template: text, values, characters } = split;
    if (!this.#takes(at)) return 'full';
    let template = this.#templates.get(text);
    if (template === undefined) {
      if (!this.#hasRoom(split)) {
        if (this.#at !== undefined) return 'full';
        this.#begin();
      }
      template = this.#begun(text, values);
    }
    if (this.#at === undefined) {
      this.#at = at;
      this.#last = at.time;
    }
    this.#times.push(Number(at.time - this.#last));
    this.#last = at.time;
    this.#order.push(template);
    for (let slot = 0; slot < values.length; slot += 1) template.values[slot]?.push(values[slot] ?? '');
    this.#characters += characters;
    return 'added';
  }

  /** The columns of what waits, as they are before they are compressed; valid until the next one. */
  take(): Uint8Array {
    const columns = this.#bytes;
    const literals: string[] = [];
    columns.varint(this.#begins ? 1 : 0);
    columns.varint(this.#at?.interfaceId ?? 0);
    columns.long(this.#at?.time ?? 0n);
    columns.varint(this.#new.length);
    for (const text of this.#new) {
      columns.varint(Buffer.byteLength(text));
      columns.text(text);
    }
    columns.varint(this.#order.length);
    for (const { index } of this.#order) columns.varint(index);
    const times = { last: Number.NaN };
    for (const time of this.#times) writeNumber(columns, times, time, Number.NaN);
    for (const template of new Set(this.#order)) this.#writeColumns(template, literals);
    let length = 0;
    for (const text of literals) length += columns.text(text);
    columns.long(BigInt(length));
    this.#begins = false;
    this.#at = undefined;
    this.#characters = 0;
    this.#times = [];
    this.#order = [];
    this.#new = [];
    return columns.take();
  }

  /** Whether a text at this place fits into the batch at hand. */
  #takes({ interfaceId, time }: FoundAt): boolean {
    if (this.#at === undefined) return true;
    if (this.#characters >= FULL_CHARACTERS || this.#order.length >= BATCH_TEXTS_MAXIMUM) return false;
    const step = time - this.#last;
    return interfaceId === this.#at.interfaceId && step <= STEP_NS && step >= -STEP_NS;
  }

  /** Whether one more template is remembered with the others. */
  #hasRoom({ template, values }: SplitJson): boolean {
    return (
      this.#templates.size < TEMPLATES_MAXIMUM &&
      this.#slots + values.length <= TEMPLATE_SLOTS_MAXIMUM &&
      this.#templateCharacters + template.length <= TEMPLATE_CHARACTERS_MAXIMUM
    );
  }

  /** What both sides remember is forgotten. */
  #begin(): void {
    this.#templates = new Map();
    this.#slots = 0;
    this.#templateCharacters = 0;
    this.#strings = new WrittenStrings();
    this.#begins = true;
  }

  #begun(text: string, values: readonly SlotValue[]): Template {
    const template: Template = {
      index: this.#templates.size,
      columns: columnsOf(text),
      values: values.map(() => []),
    };
    this.#templates.set(text, template);
    this.#slots += values.length;
    this.#templateCharacters += text.length;
    this.#new.push(text);
    return template;
  }

  #writeColumns(template: Template, literals: string[]): void {
    let before: readonly SlotValue[] = [];
    for (const [slot, column] of template.columns.entries()) {
      const values = template.values[slot] ?? [];
      if (column.kind === 'string') {
        for (const value of values) this.#strings.write(this.#bytes, literals, column, String(value));
      } else if (column.kind === 'number') {
        for (let index = 0; index < values.length; index += 1) {
          writeNumber(this.#bytes, column, Number(values[index]), Number(before[index] ?? Number.NaN));
        }
        before = values;
      } else writeLists(this.#bytes, column.parts, values as readonly (readonly number[])[]);
    }
    template.values = template.columns.map(() => []);
  }
}

function writeLists(bytes: ColumnBytes, parts: readonly NumberColumn[], lists: readonly (readonly number[])[]): void {
  for (const list of lists) bytes.varint(list.length / LIST_STRIDE);
  for (const [offset, column] of parts.entries()) {
    for (const list of lists) {
      for (let at = offset; at < list.length; at += LIST_STRIDE) writeNumber(bytes, column, list[at] ?? 0, Number.NaN);
    }
  }
}

function isTooLong({ characters, values }: SplitJson): boolean {
  if (characters <= SURE_CHARACTERS) return false;
  let escapes = 0;
  for (const value of values) if (typeof value === 'string') escapes += JSON.stringify(value).length - value.length;
  return characters + escapes > CHARACTERS_MAXIMUM;
}
