import { compareTexts } from './texts.ts';

/** Rows added up under one key, with the key's parts. */
export interface Group<Head, Row> {
  readonly head: Head;
  readonly row: Row;
  /** Of this key at most so many are counted in the group of all others; 0 where all are here. */
  readonly missed: number;
}

/** A row that takes in others of its kind. */
export interface Addable<Row> {
  readonly count: number;
  merge(other: Row): void;
}

/** How many groups there may be, and the key of the one that takes in what has no room. */
export interface GroupBound<Head> {
  readonly maximum: number;
  readonly other: Head;
}

/** Of so many groups one makes room, the least frequent: many at once, because to find them all are sorted. */
const EVICTED_PART = 8;

/** What comes from other groups: a key, what is added to its row, and how many of it were missed there. */
export interface Incoming<Head, Row> {
  readonly head: Head;
  readonly missed: number;
  addTo(row: Row): void;
  /** It takes back what was counted under this key: where the key made room, that is in the group of all others. */
  readonly takesBack?: boolean;
}

/**
 * Rows by a key of several parts. Two of them add up to what one would have counted, in any order. Past a bound the most frequent keys stay
 * (Space-Saving): the least frequent ones are added to the group of all others, so the sum of all is exact. A key that comes
 * (again) afterwards counts from 0; `missed` is how many it may have had before, at most.
 */
export class Groups<Head, Row extends Addable<Row>> {
  readonly #groups = new Map<string, { readonly head: Head; readonly row: Row; missed: number }>();
  readonly #make: () => Row;
  readonly #bound: GroupBound<Head> | undefined;
  readonly #otherKey: string | undefined;
  /** Of a key that is not here at most so many were counted. */
  #floor = 0;

  constructor(make: () => Row, bound?: GroupBound<Head>) {
    this.#make = make;
    this.#bound = bound;
    this.#otherKey = bound === undefined ? undefined : JSON.stringify(bound.other);
  }

  get floor(): number {
    return this.#floor;
  }

  add(head: Head, row: Row): void {
    this.row(head).merge(row);
  }

  /** The row of a key. */
  row(head: Head): Row {
    const key = JSON.stringify(head);
    return (this.#groups.get(key) ?? this.#added(key, head, 0)).row;
  }

  /** Add other groups. @param floor of a key that is not among them at most so many were counted there */
  take(incoming: readonly Incoming<Head, Row>[], floor: number): void {
    if (floor > 0) {
      const keys = new Set(incoming.map(({ head }) => JSON.stringify(head)));
      for (const [key, group] of this.#groups) if (!keys.has(key) && key !== this.#otherKey) group.missed += floor;
    }
    for (const { head, missed, addTo, takesBack = false } of incoming) {
      const key = JSON.stringify(head);
      const known = this.#groups.get(key);
      if (known !== undefined) known.missed += missed;
      const from = known ?? (takesBack && this.#floor > 0 ? this.#others() : undefined);
      const { row } = from ?? this.#added(key, head, missed);
      addTo(row);
      // What was counted here has another name now.
      if (row.count === 0) this.#groups.delete(key);
    }
    // Of what is in neither, as many may have been counted as here and there together.
    this.#floor += floor;
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

  /** @param missed elsewhere; here it may have made room before */
  #added(key: string, head: Head, missed: number) {
    const isOther = key === this.#otherKey;
    if (!isOther && this.#isFull()) this.#evict();
    const group = { head, row: this.#make(), missed: isOther ? 0 : this.#floor + missed };
    this.#groups.set(key, group);
    return group;
  }

  #isFull(): boolean {
    if (this.#bound === undefined || this.#groups.size < this.#bound.maximum) return false;
    return this.#groups.size - (this.#groups.has(this.#otherKey ?? '') ? 1 : 0) >= this.#bound.maximum;
  }

  #evict(): void {
    const own = [...this.#groups].filter(([key]) => key !== this.#otherKey);
    own.sort(([a, { row: one }], [b, { row: two }]) => one.count - two.count || compareTexts(a, b));
    const others = this.#others();
    for (const [key, { row, missed }] of own.slice(0, Math.ceil(own.length / EVICTED_PART))) {
      this.#floor = Math.max(this.#floor, row.count + missed);
      others?.row.merge(row);
      this.#groups.delete(key);
    }
  }

  #others() {
    if (this.#bound === undefined || this.#otherKey === undefined) return undefined;
    return this.#groups.get(this.#otherKey) ?? this.#added(this.#otherKey, this.#bound.other, 0);
  }
}
