import { CUT_QUESTION, type Question } from './question.ts';

const FIRST_CAPACITY = 16;

/** Fields of an entry: int32s. */
const E = {
  flow: 0,
  id: 1,
  hash: 2,
  nextInBucket: 3,
  nextOfFlow: 4,
  previousOfFlow: 5,
  bytes: 6,
  repeats: 7,
  clock: 8,
} as const;
const STRIDE = 9;
/** Doubles of an entry. */
const TIMES = 3;
const NONE = -1;

/** In E.id above the sixteen bits of the id: which side asked, and the marks. */
const SIDE_SHIFT = 16;
const KEY_MASK = (1 << 17) - 1;

export const MARK = {
  /** Its answer was seen already: kept for answers to the same query sent again. */
  answered: 1 << 17,
  /** A multicast query: no answer is required. */
  toAll: 1 << 18,
  /** An ICMP error says that it did not arrive. */
  rejected: 1 << 19,
} as const;

/** Queries with the same id of one flow; with one more, one of them is not waited for any longer. */
const SAME_ID_MAXIMUM = 8;

/**
 * Queries that wait for their answers, by flow, id and question, without an object for any. Entries are numbers, valid
 * until they are removed.
 */
export class PendingQueries<Detail> {
  count = 0;
  readonly maximum: number;
  readonly #seed: number;
  #ints = new Int32Array(FIRST_CAPACITY * STRIDE);
  /** First and last byte of the query, ns; the question's number (QuestionTable). */
  #times = new Float64Array(FIRST_CAPACITY * TIMES);
  readonly #questions: Question[] = [];
  readonly #details: (Detail | undefined)[] = [];
  #buckets = new Int32Array(FIRST_CAPACITY * 2).fill(NONE);
  /** First entry of each flow. */
  #flows = new Int32Array(1).fill(NONE);
  #capacity = FIRST_CAPACITY;
  /** Entries that were used once and are free, linked by nextInBucket. */
  #free = NONE;
  #used = 0;
  #hand = 0;

  /** @param maximum entries kept @param seed of its hashes */
  constructor(maximum: number, seed: number) {
    this.maximum = maximum;
    this.#seed = seed | 0;
  }

  /**
   * The query of `side` with this id and question.
   * @param hash 0 for any question: an answer without one, or cut off before it
   * @returns -1 when there is none
   */
  find(flow: number, side: number, id: number, hash: number): number {
    const ints = this.#ints;
    const key = id | (side << SIDE_SHIFT);
    for (
      let entry = this.#buckets[this.#bucket(flow, id)] as number;
      entry !== NONE;
      entry = ints[entry * STRIDE + E.nextInBucket] as number
    ) {
      const base = entry * STRIDE;
      if (ints[base + E.flow] !== flow || ((ints[base + E.id] as number) & KEY_MASK) !== key) continue;
      const known = ints[base + E.hash] as number;
      if (known === hash || hash === 0 || known === 0) return entry;
    }
    return NONE;
  }

  /**
   * A query of `side` with this id that need not be waited for when the id is used anew: asked before `before`, or one of
   * too many.
   * @returns -1 when there is none
   */
  outdated(flow: number, side: number, id: number, before: number): number {
    const ints = this.#ints;
    const key = id | (side << SIDE_SHIFT);
    let same = 0;
    for (
      let entry = this.#buckets[this.#bucket(flow, id)] as number;
      entry !== NONE;
      entry = ints[entry * STRIDE + E.nextInBucket] as number
    ) {
      const base = entry * STRIDE;
      if (ints[base + E.flow] !== flow || ((ints[base + E.id] as number) & KEY_MASK) !== key) continue;
      same += 1;
      if ((this.#times[entry * TIMES] as number) < before || same === SAME_ID_MAXIMUM) return entry;
    }
    return NONE;
  }

  /** Add a query; there is room (`count` below `maximum`). */
  add(
    flow: number,
    side: number,
    id: number,
    hash: number,
    first: number,
    last: number,
    bytes: number,
    question: Question,
    detail: Detail | undefined,
    marks: number,
    clock: number,
    number = 0,
  ): void {
    const entry = this.#take();
    const ints = this.#ints;
    const base = entry * STRIDE;
    if (flow >= this.#flows.length) this.#growFlows(flow);
    const bucket = this.#bucket(flow, id);
    const sibling = this.#flows[flow] as number;
    ints[base + E.flow] = flow;
    ints[base + E.id] = id | (side << SIDE_SHIFT) | marks;
    ints[base + E.hash] = hash;
    ints[base + E.nextInBucket] = this.#buckets[bucket] as number;
    ints[base + E.nextOfFlow] = sibling;
    ints[base + E.previousOfFlow] = NONE;
    ints[base + E.bytes] = bytes;
    ints[base + E.repeats] = 0;
    ints[base + E.clock] = clock;
    if (sibling !== NONE) ints[sibling * STRIDE + E.previousOfFlow] = entry;
    this.#buckets[bucket] = entry;
    this.#flows[flow] = entry;
    this.#times[entry * TIMES] = first;
    this.#times[entry * TIMES + 1] = last;
    this.#times[entry * TIMES + 2] = number;
    this.#questions[entry] = question;
    if (detail !== undefined) this.#details[entry] = detail;
    this.count += 1;
  }

  remove(entry: number): void {
    const ints = this.#ints;
    const base = entry * STRIDE;
    const flow = ints[base + E.flow] as number;
    const next = ints[base + E.nextOfFlow] as number;
    const previous = ints[base + E.previousOfFlow] as number;
    if (next !== NONE) ints[next * STRIDE + E.previousOfFlow] = previous;
    if (previous !== NONE) ints[previous * STRIDE + E.nextOfFlow] = next;
    else this.#flows[flow] = next;
    const bucket = this.#bucket(flow, (ints[base + E.id] as number) & 0xffff);
    let before = this.#buckets[bucket] as number;
    if (before === entry) this.#buckets[bucket] = ints[base + E.nextInBucket] as number;
    else {
      while (ints[before * STRIDE + E.nextInBucket] !== entry)
        before = ints[before * STRIDE + E.nextInBucket] as number;
      ints[before * STRIDE + E.nextInBucket] = ints[base + E.nextInBucket] as number;
    }
    ints[base + E.flow] = NONE;
    ints[base + E.nextInBucket] = this.#free;
    this.#free = entry;
    this.#questions[entry] = CUT_QUESTION;
    if (this.#details[entry] !== undefined) this.#details[entry] = undefined;
    this.count -= 1;
  }

  /** One of the flow's entries, -1 when it has none. */
  firstOf(flow: number): number {
    return this.#flows[flow] ?? NONE;
  }

  /** Set a mark on all of a flow's entries. */
  markOf(flow: number, mark: number): void {
    for (let entry = this.firstOf(flow); entry !== NONE; entry = this.#ints[entry * STRIDE + E.nextOfFlow] as number) {
      this.mark(entry, mark);
    }
  }

  /** One of those that have waited longest; there is one. */
  oldish(): number {
    for (;;) {
      const entry = this.#hand;
      this.#hand = (this.#hand + 1) % this.#used;
      if (this.#ints[entry * STRIDE + E.flow] !== NONE) return entry;
    }
  }

  flow(entry: number): number {
    return this.#ints[entry * STRIDE + E.flow] as number;
  }

  side(entry: number): number {
    return ((this.#ints[entry * STRIDE + E.id] as number) >> SIDE_SHIFT) & 1;
  }

  first(entry: number): number {
    return this.#times[entry * TIMES] as number;
  }

  last(entry: number): number {
    return this.#times[entry * TIMES + 1] as number;
  }

  /** Of its question, as the table of questions counts them; 0 for one that is not remembered. */
  number(entry: number): number {
    return this.#times[entry * TIMES + 2] as number;
  }

  /** Number of the clock that timed it. */
  clock(entry: number): number {
    return this.#ints[entry * STRIDE + E.clock] as number;
  }

  bytes(entry: number): number {
    return this.#ints[entry * STRIDE + E.bytes] as number;
  }

  question(entry: number): Question {
    return this.#questions[entry] as Question;
  }

  detail(entry: number): Detail | undefined {
    return this.#details[entry];
  }

  /** How often the query was sent again. */
  repeats(entry: number): number {
    return this.#ints[entry * STRIDE + E.repeats] as number;
  }

  addRepeat(entry: number, by: number): void {
    const at = entry * STRIDE + E.repeats;
    this.#ints[at] = (this.#ints[at] as number) + by;
  }

  has(entry: number, mark: number): boolean {
    return ((this.#ints[entry * STRIDE + E.id] as number) & mark) !== 0;
  }

  mark(entry: number, mark: number): void {
    const at = entry * STRIDE + E.id;
    this.#ints[at] = (this.#ints[at] as number) | mark;
  }

  #bucket(flow: number, id: number): number {
    let hash = Math.imul(flow ^ this.#seed, 0x9e3779b1) ^ Math.imul(id + 1, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    return (hash ^ (hash >>> 13)) & (this.#buckets.length - 1);
  }

  #take(): number {
    const entry = this.#free;
    if (entry !== NONE) {
      this.#free = this.#ints[entry * STRIDE + E.nextInBucket] as number;
      return entry;
    }
    if (this.#used === this.#capacity) this.#grow();
    this.#used += 1;
    return this.#used - 1;
  }

  #grow(): void {
    this.#capacity *= 2;
    const ints = new Int32Array(this.#capacity * STRIDE);
    ints.set(this.#ints);
    this.#ints = ints;
    const times = new Float64Array(this.#capacity * TIMES);
    times.set(this.#times);
    this.#times = times;
    this.#buckets = new Int32Array(this.#capacity * 2).fill(NONE);
    for (let entry = 0; entry < this.#used; entry += 1) {
      const base = entry * STRIDE;
      if (ints[base + E.flow] === NONE) continue;
      const bucket = this.#bucket(ints[base + E.flow] as number, (ints[base + E.id] as number) & 0xffff);
      ints[base + E.nextInBucket] = this.#buckets[bucket] as number;
      this.#buckets[bucket] = entry;
    }
  }

  #growFlows(flow: number): void {
    const flows = new Int32Array(Math.max(flow + 1, this.#flows.length * 2)).fill(NONE);
    flows.set(this.#flows);
    this.#flows = flows;
  }
}
