import { FOUND_MAXIMUM } from '../found-block.ts';
import { ColumnReader, WrongColumns } from './bytes.ts';
import { type Column, columnsOf } from './columns.ts';
import {
  BATCH_CHARACTERS_MAXIMUM,
  BATCH_TEXTS_MAXIMUM,
  TEMPLATE_CHARACTERS_MAXIMUM,
  TEMPLATE_SLOTS_MAXIMUM,
  TEMPLATES_MAXIMUM,
} from './limits.ts';
import { type NumberColumn, readNumber } from './numbers.ts';
import { ReadStrings } from './strings.ts';
import { LIST_STRIDE, SLOTS } from './template.ts';
import type { FoundAt } from './writer.ts';

/** One text of a batch. */
export interface FoundTextAt extends FoundAt {
  readonly json: string;
}

interface Template {
  /** What stands before, between and behind its values. */
  readonly parts: readonly string[];
  /** Of the parts. */
  readonly characters: number;
  readonly columns: readonly Column[];
}

/** The texts of one template in a batch. */
interface Group {
  /** How many there are, and how many of them were taken. */
  count: number;
  taken: number;
  /** By slot: of each text its value, as JSON. */
  values: readonly (readonly string[])[];
}

/** Longer lists fit into no block: a number takes two bytes there. In strides. */
const LIST_MAXIMUM = FOUND_MAXIMUM / 2 / LIST_STRIDE;

/** Bytes of the length that ends a batch. */
const TRAILER_BYTES = 8;

/** Makes the texts again that FoundColumnsWriter took, of its batches in their order. They are outside data. */
export class FoundColumnsReader {
  #templates: Template[] = [];
  #slots = 0;
  #templateCharacters = 0;
  #strings = new ReadStrings();
  /** Characters of the batch at hand. */
  #characters = 0;

  /** @param bytes of one batch @throws WrongColumns; what it remembers is of no use after that */
  read(bytes: Uint8Array): FoundTextAt[] {
    const reader = new ColumnReader(bytes);
    const length = Number(reader.cut(TRAILER_BYTES).long());
    const literals = reader.cut(length);
    this.#characters = 0;
    if (reader.varint(1) === 1) this.#begin();
    const interfaceId = reader.varint(0xffff_ffff);
    let time = reader.long();
    const added = reader.varint(TEMPLATES_MAXIMUM);
    for (let index = 0; index < added; index += 1) this.#add(reader.text(reader.varint(TEMPLATE_CHARACTERS_MAXIMUM)));
    const { order, groups } = this.#order(reader);
    const times = { last: Number.NaN };
    const steps = order.map(() => stepOf(reader, times));
    for (const [template, group] of groups) group.values = this.#values(template, group.count, reader, literals);
    if (!reader.isAtEnd || !literals.isAtEnd) throw new WrongColumns('something is left');
    return order.map((template, index) => {
      time += steps[index] ?? 0n;
      return { interfaceId, time, json: this.#text(template, groups.get(template)) };
    });
  }

  #begin(): void {
    this.#templates = [];
    this.#slots = 0;
    this.#templateCharacters = 0;
    this.#strings = new ReadStrings();
  }

  #add(text: string): void {
    const parts = text.split(SLOTS);
    this.#slots += parts.length - 1;
    this.#templateCharacters += text.length;
    const isTooMuch =
      this.#templates.length >= TEMPLATES_MAXIMUM ||
      this.#slots > TEMPLATE_SLOTS_MAXIMUM ||
      this.#templateCharacters > TEMPLATE_CHARACTERS_MAXIMUM;
    if (isTooMuch) throw new WrongColumns('too many templates');
    this.#templates.push({ parts, characters: text.length, columns: columnsOf(text) });
  }

  /** Which template each text is of, and of each template how many. */
  #order(reader: ColumnReader): { readonly order: Template[]; readonly groups: Map<Template, Group> } {
    const groups = new Map<Template, Group>();
    const order: Template[] = [];
    const count = reader.varint(BATCH_TEXTS_MAXIMUM);
    for (let index = 0; index < count; index += 1) {
      const template = this.#templates[reader.varint()];
      if (template === undefined) throw new WrongColumns('a template is not known');
      order.push(template);
      const group = groups.get(template);
      if (group === undefined) groups.set(template, { count: 1, taken: 0, values: [] });
      else group.count += 1;
      this.#count(template.characters);
    }
    return { order, groups };
  }

  #values({ columns }: Template, count: number, reader: ColumnReader, literals: ColumnReader): string[][] {
    let before: readonly number[] = [];
    return columns.map((column) => {
      const values: string[] = [];
      if (column.kind === 'string') {
        for (let index = 0; index < count; index += 1) {
          values.push(this.#shown(`"${this.#strings.read(reader, literals, column, BATCH_CHARACTERS_MAXIMUM)}"`));
        }
      } else if (column.kind === 'number') {
        const numbers: number[] = [];
        for (let index = 0; index < count; index += 1) {
          numbers.push(readNumber(reader, column, before[index] ?? Number.NaN));
        }
        for (const number of numbers) values.push(this.#shown(String(number)));
        before = numbers;
      } else {
        for (const list of this.#lists(column.parts, count, reader)) values.push(this.#shown(`[${list.join(',')}]`));
      }
      return values;
    });
  }

  #lists(parts: readonly NumberColumn[], count: number, reader: ColumnReader): number[][] {
    const lengths = Array.from({ length: count }, () => reader.varint(LIST_MAXIMUM) * LIST_STRIDE);
    for (const length of lengths) this.#count(length);
    const lists = lengths.map(() => [] as number[]);
    for (const [offset, column] of parts.entries()) {
      for (const [index, length] of lengths.entries()) {
        for (let at = offset; at < length; at += LIST_STRIDE) {
          const list = lists[index];
          if (list !== undefined) list[at] = readNumber(reader, column, Number.NaN);
        }
      }
    }
    return lists;
  }

  #text({ parts }: Template, group: Group | undefined): string {
    let text = parts[0] ?? '';
    if (group === undefined) return text;
    for (const [slot, values] of group.values.entries()) text += (values[group.taken] ?? '') + (parts[slot + 1] ?? '');
    group.taken += 1;
    return text;
  }

  #shown(value: string): string {
    this.#count(value.length);
    return value;
  }

  /** Few bytes can stand for many characters. */
  #count(characters: number): void {
    this.#characters += characters;
    if (this.#characters > BATCH_CHARACTERS_MAXIMUM) throw new WrongColumns('the texts are too long');
  }
}

function stepOf(reader: ColumnReader, times: NumberColumn): bigint {
  const step = readNumber(reader, times, Number.NaN);
  if (!Number.isSafeInteger(step)) throw new WrongColumns('a time is no whole number');
  return BigInt(step);
}
