/** What stands in a template for a value: control characters, which JSON texts have none of outside of strings. */
export const SLOT = { number: '\u0001', string: '\u0002', numbers: '\u0003' } as const;

export const SLOTS = /[\u0001-\u0003]/;

/** A list of at least so many numbers, four and four, is one value: it may be of any length. */
const LIST_MINIMUM = 8;
export const LIST_STRIDE = 4;

export type SlotValue = number | string | readonly number[];

/** A value as JSON, cut into what is alike in many and what differs. */
export interface SplitJson {
  /** The JSON text with a slot in place of each number, string, and list of numbers. */
  readonly template: string;
  readonly values: SlotValue[];
  /** Of the JSON text, about: escapes are not counted, and all numbers are taken for long ones. */
  characters: number;
}

/** Characters of a long number. */
const NUMBER_CHARACTERS = 20;

/** Cut what `JSON.stringify` would write. */
export function splitJson(value: unknown): SplitJson {
  const values: SlotValue[] = [];
  const template = templateOf(value, values);
  let characters = template.length;
  for (const each of values) {
    characters +=
      typeof each === 'string' ? each.length : NUMBER_CHARACTERS * (typeof each === 'number' ? 1 : each.length);
  }
  return { template, values, characters };
}

function templateOf(value: unknown, values: SlotValue[]): string {
  if (typeof value === 'string') {
    values.push(value);
    return SLOT.string;
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return 'null';
    values.push(value);
    return SLOT.number;
  }
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value !== 'object' || value === null) return 'null';
  if (Array.isArray(value)) return listOf(value, values);
  let text = '{';
  const members = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(members)) {
    const member = members[name];
    if (member !== undefined)
      text += (text.length > 1 ? `,${quoted(name)}` : quoted(name)) + templateOf(member, values);
  }
  return `${text}}`;
}

/** Names of members as JSON has them, with a colon: the same ones come again and again. */
const QUOTED = new Map<string, string>();
const QUOTED_MAXIMUM = 1_024;
const QUOTED_CHARACTERS = 64;

function quoted(name: string): string {
  const known = QUOTED.get(name);
  if (known !== undefined) return known;
  const text = `${JSON.stringify(name)}:`;
  if (name.length > QUOTED_CHARACTERS) return text;
  if (QUOTED.size >= QUOTED_MAXIMUM) QUOTED.clear();
  QUOTED.set(name, text);
  return text;
}

function listOf(list: readonly unknown[], values: SlotValue[]): string {
  if (isNumbers(list)) {
    values.push([...list]);
    return SLOT.numbers;
  }
  let text = '[';
  for (const each of list) text += `${text.length > 1 ? ',' : ''}${templateOf(each, values)}`;
  return `${text}]`;
}

function isNumbers(list: readonly unknown[]): list is number[] {
  return (
    list.length >= LIST_MINIMUM &&
    list.length % LIST_STRIDE === 0 &&
    list.every((each) => typeof each === 'number' && Number.isFinite(each))
  );
}
