import type { AlikeExchanges, AlikeSums, AlikeTaker } from '../flow/alike.ts';
import type { FlowInfo } from '../flow/flow-facts.ts';
import type { Identity } from '../identity/identity.ts';
import type { Names } from '../identity/names.ts';
import type { Exchange } from '../record/event.ts';
import { bucketOf } from './histogram.ts';

/** Kinds between one client and one server that are known at once: in sets, in which the oldest one goes; powers of two. */
const SETS = 1024;
const WAYS = 4;
const CELLS = SETS * WAYS;

/** Exchanges that wait for being counted. */
const WAITING = 8192;

/** After so many kinds were learned it pays only where as many exchanges were counted; else so many are not looked at. */
const LEARNED = 4096;
const SKIPPED = 16 * LEARNED;

/** Int32s of a cell's key besides its kind. */
const KEY = 4;

/**
 * Counts alike exchanges many at a time, kind by kind: where hundreds of names take turns, what each of them is added to would have
 * to come from memory for each exchange. Bounded: CELLS kinds, WAITING exchanges.
 */
export class CountedAlike implements AlikeExchanges {
  readonly #names: Names;
  readonly #takerOf: (event: Exchange, flow: FlowInfo) => AlikeTaker | undefined;
  readonly #kinds = new Float64Array(CELLS);
  /** Client, server, its port and the interface. */
  readonly #keys = new Int32Array(CELLS * KEY);
  /** Who they were: a name may change. */
  readonly #clients = new Array<Identity | undefined>(CELLS).fill(undefined);
  readonly #servers = new Array<Identity | undefined>(CELLS).fill(undefined);
  readonly #takers = new Array<AlikeTaker | undefined>(CELLS).fill(undefined);
  readonly #next = new Uint8Array(SETS);
  #learned = 0;
  #counted = 0;
  #skipped = 0;
  /** What waits. */
  #size = 0;
  readonly #cells = new Int32Array(WAITING);
  readonly #flows = new Int32Array(WAITING);
  readonly #times = new Float64Array(WAITING);
  readonly #latencies = new Float64Array(WAITING);
  readonly #requestBytes = new Int32Array(WAITING);
  readonly #responseBytes = new Int32Array(WAITING);
  /** By cell the first that waits, and by each the next one of its cell; -1 for none. */
  readonly #first = new Int32Array(CELLS).fill(-1);
  readonly #following = new Int32Array(WAITING);
  readonly #order = new Int32Array(CELLS);
  readonly #sums = new Sums();

  /** @param takerOf who takes what is alike to an event; undefined where each one matters */
  constructor(names: Names, takerOf: (event: Exchange, flow: FlowInfo) => AlikeTaker | undefined) {
    this.#names = names;
    this.#takerOf = takerOf;
  }

  add(
    kind: number,
    flow: FlowInfo,
    time: number,
    latency: number,
    requestBytes: number,
    responseBytes: number,
  ): boolean {
    if (this.#skipped > 0) {
      this.#skipped -= 1;
      return false;
    }
    const cell = this.#find(kind, flow);
    if (cell < 0 || !this.#areNamed(cell, flow, time)) return false;
    if (this.#size === WAITING) this.count();
    const at = this.#size;
    this.#size = at + 1;
    this.#cells[at] = cell;
    this.#flows[at] = flow.id;
    this.#times[at] = time;
    this.#latencies[at] = latency;
    this.#requestBytes[at] = requestBytes;
    this.#responseBytes[at] = responseBytes;
    return true;
  }

  learn(kind: number, event: Exchange, flow: FlowInfo): void {
    if (this.#skipped > 0) return;
    this.#learned += 1;
    if (this.#learned === LEARNED) this.#judge();
    const taker = this.#takerOf(event, flow);
    if (taker === undefined) return;
    const { clientHost, serverHost, serverPort, interfaceId } = flow;
    let cell = this.#find(kind, flow);
    if (cell < 0) {
      const set = setOf(kind, flow);
      const way = this.#next[set] as number;
      this.#next[set] = (way + 1) % WAYS;
      cell = set * WAYS + way;
    }
    // What waits was counted for another one.
    this.count();
    this.#kinds[cell] = kind;
    this.#keys[cell * KEY] = clientHost;
    this.#keys[cell * KEY + 1] = serverHost;
    this.#keys[cell * KEY + 2] = serverPort;
    this.#keys[cell * KEY + 3] = interfaceId;
    this.#clients[cell] = this.#names.ofHost(clientHost, event.time, interfaceId);
    this.#servers[cell] = this.#names.ofHost(serverHost, event.time, interfaceId);
    this.#takers[cell] = taker;
  }

  /** Hand out what waits: before anything is read of what it is added to, and before an event that depends on the order. */
  count(): void {
    const size = this.#size;
    if (size === 0) return;
    this.#size = 0;
    this.#counted += size;
    for (let at = 0; at < size; at += 1) {
      const taker = this.#takers[this.#cells[at] as number];
      taker?.each?.(this.#flows[at] as number, this.#times[at] as number, this.#latencies[at] as number);
    }
    let used = 0;
    for (let at = size - 1; at >= 0; at -= 1) {
      const cell = this.#cells[at] as number;
      const first = this.#first[cell] as number;
      if (first < 0) {
        this.#order[used] = cell;
        used += 1;
      }
      this.#following[at] = first;
      this.#first[cell] = at;
    }
    // The cell whose last one came last is the first here.
    for (used -= 1; used >= 0; used -= 1) this.#countCell(this.#order[used] as number);
  }

  #countCell(cell: number): void {
    const sums = this.#sums;
    sums.clear();
    for (let at = this.#first[cell] as number; at >= 0; at = this.#following[at] as number) {
      sums.add(
        this.#times[at] as number,
        this.#latencies[at] as number,
        this.#requestBytes[at] as number,
        this.#responseBytes[at] as number,
      );
    }
    this.#first[cell] = -1;
    this.#takers[cell]?.counted(sums);
  }

  #judge(): void {
    if (this.#counted + this.#size < this.#learned) this.#skipped = SKIPPED;
    this.#learned = 0;
    this.#counted = 0;
  }

  #find(kind: number, flow: FlowInfo): number {
    const first = setOf(kind, flow) * WAYS;
    for (let cell = first; cell < first + WAYS; cell += 1) {
      if (this.#kinds[cell] !== kind) continue;
      const key = cell * KEY;
      const isSame =
        this.#keys[key] === flow.clientHost &&
        this.#keys[key + 1] === flow.serverHost &&
        this.#keys[key + 2] === flow.serverPort &&
        this.#keys[key + 3] === flow.interfaceId;
      if (isSame) return cell;
    }
    return -1;
  }

  #areNamed(cell: number, { clientHost, serverHost, interfaceId }: FlowInfo, time: number): boolean {
    return (
      this.#names.ofHost(clientHost, time, interfaceId) === this.#clients[cell] &&
      this.#names.ofHost(serverHost, time, interfaceId) === this.#servers[cell]
    );
  }
}

/** What a cell has counted since it was handed out last. */
class Sums implements AlikeSums {
  count = 0;
  requestBytes = 0;
  responseBytes = 0;
  sum = 0;
  max = 0;
  readonly buckets = new Int32Array(WAITING);
  lowest = 0;
  highest = 0;
  last = 0;

  clear(): void {
    this.count = 0;
    this.requestBytes = 0;
    this.responseBytes = 0;
    this.sum = 0;
    this.max = 0;
    this.lowest = Number.MAX_SAFE_INTEGER;
    this.highest = Number.MIN_SAFE_INTEGER;
  }

  add(time: number, latency: number, requestBytes: number, responseBytes: number): void {
    const bucket = bucketOf(latency);
    this.buckets[this.count] = bucket;
    this.count += 1;
    this.requestBytes += requestBytes;
    this.responseBytes += responseBytes;
    this.sum += latency;
    if (latency > this.max) this.max = latency;
    if (bucket < this.lowest) this.lowest = bucket;
    if (bucket > this.highest) this.highest = bucket;
    this.last = time;
  }
}

function setOf(kind: number, { clientHost, serverHost }: FlowInfo): number {
  let hash = Math.imul(kind | 0, 0x9e3779b1) ^ Math.imul(clientHost, 0x85ebca6b) ^ Math.imul(serverHost, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) & (SETS - 1);
}
