import type { FieldTable, FieldType } from '../../analyze/protocols/protocol.ts';
import { Column } from './columns.ts';

/** Objects of which columns are made have a few dozen members; one with more is not remembered in full. */
const ORDER_MAXIMUM = 256;

/** A member of records, at any depth, and the columns that are made of it and of those below it. */
export class Member {
  readonly name: string;
  readonly #path: string;
  readonly #below = new Map<string, Member>();
  /** Those of the last object by their place in it: the next one mostly has the same members. */
  readonly #order: (Member | undefined)[] = [];
  /** Whether it has its columns. */
  hasJoined = false;
  #type: FieldType | undefined;
  #column: Column | undefined;

  constructor(name: string, path: string) {
    this.name = name;
    this.#path = path;
  }

  /** The members of records. @param fields every column that there may be */
  static of(fields: FieldTable): Member {
    const all = new Member('', '');
    for (const [path, { type }] of Object.entries(fields)) {
      let member = all;
      for (const name of path.split('.')) member = member.#child(name);
      member.#type = type;
    }
    return all;
  }

  /** The member of an object that has `place` members before it; undefined where no column is made of it. */
  at(name: string, place: number): Member | undefined {
    const last = this.#order[place];
    if (last?.name === name) return last;
    const member = this.#below.get(name);
    if (place < ORDER_MAXIMUM) this.#order[place] = member;
    return member;
  }

  /** Make the columns. @returns them, in the order of the fields */
  join(): Column[] {
    this.hasJoined = true;
    const below = [...this.#below.values()].flatMap((member) => member.join());
    if (this.#type === undefined) return below;
    this.#column = new Column(this.#path, this.#type);
    return [this.#column, ...below];
  }

  /**
   * Take the value of a row.
   * @param row its number in the row group
   * @returns characters that it adds to what is in memory
   */
  add(value: unknown, row: number): number {
    if (value === undefined || value === null) return 0;
    let characters = this.#column?.add(value, row) ?? 0;
    if (this.#below.size === 0 || !isObject(value)) return characters;
    let place = 0;
    for (const name in value) {
      const member = this.at(name, place);
      place += 1;
      const own = value[name];
      if (own !== undefined && member !== undefined) characters += member.add(own, row);
    }
    return characters;
  }

  #child(name: string): Member {
    let child = this.#below.get(name);
    if (child === undefined) {
      child = new Member(name, this.#path === '' ? name : `${this.#path}.${name}`);
      this.#below.set(name, child);
    }
    return child;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
