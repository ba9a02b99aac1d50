import { compareTexts } from './texts.ts';

/** Rows added up under one key, with the key's parts. */
export interface Group<Head, Row> {
  readonly head: Head;
  readonly row: Row;
}

/** A row that takes in others of its kind. */
export interface Addable<Row> {
  readonly count: number;
  merge(other: Row): void;
}

/** How many groups there may be, and which one takes what comes past that. */
export interface GroupBound<Head> {
  readonly maximum: number;
  /** The key of the group that takes in a row for which there is no room. */
  other(head: Head): Head;
}

/** Rows by a key of several parts. Two of them add up to what one would have counted, in any order. */
export class Groups<Head, Row extends Addable<Row>> {
  readonly #groups = new Map<string, Group<Head, Row>>();
  readonly #make: () => Row;
  readonly #bound: GroupBound<Head> | undefined;

  constructor(make: () => Row, bound?: GroupBound<Head>) {
    this.#make = make;
    this.#bound = bound;
  }

  get size(): number {
    return this.#groups.size;
  }

  add(head: Head, row: Row): void {
    this.row(head).merge(row);
  }

  /** The row of a key; past the bound the row of all others. */
  row(head: Head): Row {
    const key = JSON.stringify(head);
    const known = this.#groups.get(key);
    if (known !== undefined) return known.row;
    if (this.#bound !== undefined && this.#groups.size >= this.#bound.maximum) {
      const other = this.#bound.other(head);
      const otherKey = JSON.stringify(other);
      return (this.#groups.get(otherKey) ?? this.#added(otherKey, other)).row;
    }
    return this.#added(key, head).row;
  }

  delete(head: Head): void {
    this.#groups.delete(JSON.stringify(head));
  }

  values(): IterableIterator<Group<Head, Row>> {
    return this.#groups.values();
  }

  /** Most frequent first, and those of the same count by their keys. */
  sorted(): Group<Head, Row>[] {
    const all = [...this.#groups].sort(
      ([a, { row: one }], [b, { row: two }]) => two.count - one.count || compareTexts(a, b),
    );
    return all.map(([, group]) => group);
  }

  #added(key: string, head: Head): Group<Head, Row> {
    const group = { head, row: this.#make() };
    this.#groups.set(key, group);
    return group;
  }
}
