import type { AlikeSums, AlikeTaker } from '../flow/alike.ts';
import { bucketOf } from './histogram.ts';

/** Exchanges that wait: of hundreds of kinds that take turns there are then many each. */
const WAITING = 65_536;
/** So many at first, then twice as many each time: what runs for the first time is not compiled yet, and slow. */
const WAITING_FIRST = 1024;

/** Doubles of a kind's sums, one cache line. */
const SUMS = 8;
const COUNT = 0;
const REQUEST_BYTES = 1;
const RESPONSE_BYTES = 2;
/** Sum and maximum of the latencies, ns. */
const LATENCY = 3;
const LONGEST = 4;
/** The least and the greatest bucket of a latency. */
const LOWEST = 5;
const HIGHEST = 6;
/** When the latest request was sent, ns. */
const LAST = 7;

/** Exchanges of up to a number of kinds that wait for being handed to what takes them, kind by kind. */
export class WaitingAlike {
  size = 0;
  #maximum = WAITING_FIRST;
  readonly #takers: readonly (AlikeTaker | undefined)[];
  readonly #sums: Float64Array;
  /** Kinds of which something waits. */
  #used = 0;
  /** By exchange. */
  readonly #kinds = new Uint16Array(WAITING);
  readonly #buckets = new Int16Array(WAITING);
  readonly #flows = new Int32Array(WAITING);
  readonly #times = new Float64Array(WAITING);
  readonly #latencies = new Float64Array(WAITING);
  /** While they are handed out: the kinds, where the buckets of each end (else -1), and the buckets by kind. */
  readonly #order: Uint16Array;
  readonly #ends: Int32Array;
  readonly #sorted = new Int16Array(WAITING);
  readonly #handed = new Sums(this.#sorted);
  readonly #lasts = new LastOfFlows();

  /** @param kinds how many there are, at most 65,536 @param takers by kind */
  constructor(kinds: number, takers: readonly (AlikeTaker | undefined)[]) {
    this.#takers = takers;
    this.#sums = new Float64Array(kinds * SUMS);
    this.#order = new Uint16Array(kinds);
    this.#ends = new Int32Array(kinds).fill(-1);
  }

  get isFull(): boolean {
    return this.size === this.#maximum;
  }

  /** Only where it is not full. @param time ns @param latency ns */
  add(kind: number, flow: number, time: number, latency: number, requestBytes: number, responseBytes: number): void {
    const bucket = bucketOf(latency);
    const at = this.size;
    this.size = at + 1;
    this.#kinds[at] = kind;
    this.#buckets[at] = bucket;
    this.#flows[at] = flow;
    this.#times[at] = time;
    this.#latencies[at] = latency;
    const sums = this.#sums;
    const base = kind * SUMS;
    const count = sums[base + COUNT] as number;
    sums[base + COUNT] = count + 1;
    if (count === 0) {
      sums[base + LAST] = time;
      this.#used += 1;
      sums[base + REQUEST_BYTES] = requestBytes;
      sums[base + RESPONSE_BYTES] = responseBytes;
      sums[base + LATENCY] = latency;
      sums[base + LONGEST] = latency;
      sums[base + LOWEST] = bucket;
      sums[base + HIGHEST] = bucket;
      return;
    }
    (sums[base + REQUEST_BYTES] as number) += requestBytes;
    (sums[base + RESPONSE_BYTES] as number) += responseBytes;
    (sums[base + LATENCY] as number) += latency;
    if (time > (sums[base + LAST] as number)) sums[base + LAST] = time;
    if (latency > (sums[base + LONGEST] as number)) sums[base + LONGEST] = latency;
    if (bucket < (sums[base + LOWEST] as number)) sums[base + LOWEST] = bucket;
    if (bucket > (sums[base + HIGHEST] as number)) sums[base + HIGHEST] = bucket;
  }

  handOut(): void {
    const { size } = this;
    if (size === 0) return;
    if (this.isFull && this.#maximum < WAITING) this.#maximum *= 2;
    this.#handLastOfFlows();
    this.#sort();
    this.size = 0;
    for (let at = 0; at < this.#used; at += 1) {
      const kind = this.#order[at] as number;
      this.#handed.read(this.#sums, kind * SUMS, this.#ends[kind] as number);
      this.#ends[kind] = -1;
      this.#sums[kind * SUMS + COUNT] = 0;
      this.#takers[kind]?.counted(this.#handed);
    }
    this.#used = 0;
  }

  #handLastOfFlows(): void {
    const lasts = this.#lasts;
    lasts.clear();
    for (let at = this.size - 1; at >= 0; at -= 1) {
      if (this.#takers[this.#kinds[at] as number]?.lastOfFlow !== undefined) lasts.add(this.#flows[at] as number, at);
    }
    for (let index = lasts.count - 1; index >= 0; index -= 1) {
      const at = lasts.positions[index] as number;
      const taker = this.#takers[this.#kinds[at] as number];
      taker?.lastOfFlow?.(this.#flows[at] as number, this.#times[at] as number, this.#latencies[at] as number);
    }
  }

  /** The kinds, of which the one that came last is the last, and the buckets of each together. */
  #sort(): void {
    const [kinds, order, ends, sums] = [this.#kinds, this.#order, this.#ends, this.#sums];
    for (let left = this.#used, at = this.size - 1; left > 0; at -= 1) {
      const kind = kinds[at] as number;
      if ((ends[kind] as number) >= 0) continue;
      ends[kind] = 0;
      left -= 1;
      order[left] = kind;
    }
    for (let index = 0, start = 0; index < this.#used; index += 1) {
      const kind = order[index] as number;
      ends[kind] = start;
      start += sums[kind * SUMS + COUNT] as number;
    }
    for (let at = 0; at < this.size; at += 1) {
      const kind = kinds[at] as number;
      const end = ends[kind] as number;
      this.#sorted[end] = this.#buckets[at] as number;
      ends[kind] = end + 1;
    }
  }
}

/** What is handed out of a kind. */
class Sums implements AlikeSums {
  count = 0;
  requestBytes = 0;
  responseBytes = 0;
  sum = 0;
  max = 0;
  readonly buckets: Int16Array;
  start = 0;
  lowest = 0;
  highest = 0;
  last = 0;

  constructor(buckets: Int16Array) {
    this.buckets = buckets;
  }

  /** @param end where its buckets end */
  read(sums: Float64Array, base: number, end: number): void {
    this.count = sums[base + COUNT] as number;
    this.requestBytes = sums[base + REQUEST_BYTES] as number;
    this.responseBytes = sums[base + RESPONSE_BYTES] as number;
    this.sum = sums[base + LATENCY] as number;
    this.max = sums[base + LONGEST] as number;
    this.lowest = sums[base + LOWEST] as number;
    this.highest = sums[base + HIGHEST] as number;
    this.last = sums[base + LAST] as number;
    this.start = end - this.count;
  }
}

/** Flows that it distinguishes; a power of two. */
const FLOWS = 4096;

/** Of exchanges that are looked at from the last one to the first: the last one of each flow, and some more where flows share a place. */
class LastOfFlows {
  count = 0;
  readonly positions = new Int32Array(WAITING);
  /** The flow of each place, valid where it was set since the last `clear`. */
  readonly #flows = new Int32Array(FLOWS);
  readonly #rounds = new Float64Array(FLOWS);
  #round = 0;

  clear(): void {
    this.count = 0;
    this.#round += 1;
  }

  add(flow: number, position: number): void {
    const place = flow & (FLOWS - 1);
    if (this.#flows[place] === flow && this.#rounds[place] === this.#round) return;
    this.#flows[place] = flow;
    this.#rounds[place] = this.#round;
    this.positions[this.count] = position;
    this.count += 1;
  }
}
