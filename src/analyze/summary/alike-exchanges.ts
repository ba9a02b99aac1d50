import type { AlikeExchanges, AlikeTaker } from '../flow/alike.ts';
import type { FlowInfo } from '../flow/flow-facts.ts';
import type { Identity } from '../identity/identity.ts';
import type { Names } from '../identity/names.ts';
import type { Exchange } from '../record/event.ts';
import { WaitingAlike } from './alike-waiting.ts';

/**
 * Kinds between one client and one server that are known at once: in sets, in which the oldest one goes; powers of two. Of 500
 * kinds more than 4 fall into one set in one of six runs (where they fall differs), and drive one another out from then on.
 */
const SETS = 1024;
const WAYS = 8;
const CELLS = SETS * WAYS;

/** After so many kinds were learned it pays only where as many exchanges were counted; else so many are not looked at. */
const LEARNED = 4096;
const SKIPPED = 16 * LEARNED;

/** Int32s of a cell's key besides its kind. */
const KEY = 4;

/**
 * Counts alike exchanges many at a time, kind by kind: where hundreds of names take turns, what each of them is added to would have
 * to come from memory for each exchange. Bounded: CELLS kinds, and the exchanges that wait.
 */
export class CountedAlike implements AlikeExchanges {
  readonly #names: Pick<Names, 'version' | 'ofHost'>;
  readonly #takerOf: (event: Exchange, flow: FlowInfo) => AlikeTaker | undefined;
  readonly #kinds = new Float64Array(CELLS);
  /** Client, server, its port and the interface. */
  readonly #keys = new Int32Array(CELLS * KEY);
  /** Who they were: a name may change. */
  readonly #clients = new Array<Identity | undefined>(CELLS).fill(undefined);
  readonly #servers = new Array<Identity | undefined>(CELLS).fill(undefined);
  /** Names.version when they were that; -1 for none. */
  readonly #versions = new Float64Array(CELLS).fill(-1);
  readonly #takers = new Array<AlikeTaker | undefined>(CELLS).fill(undefined);
  readonly #next = new Uint8Array(SETS);
  #learned = 0;
  #counted = 0;
  #skipped = 0;
  readonly #waiting = new WaitingAlike(CELLS, this.#takers);

  /** @param takerOf who takes what is alike to an event; undefined where each one matters */
  constructor(
    names: Pick<Names, 'version' | 'ofHost'>,
    takerOf: (event: Exchange, flow: FlowInfo) => AlikeTaker | undefined,
  ) {
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
    if (this.#waiting.isFull) this.count();
    this.#waiting.add(cell, flow.id, time, latency, requestBytes, responseBytes);
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
    this.#versions[cell] = this.#names.version ?? -1;
    this.#takers[cell] = taker;
  }

  /** Hand out what waits: before anything is read of what it is added to, and before an event that depends on the order. */
  count(): void {
    this.#counted += this.#waiting.size;
    this.#waiting.handOut();
  }

  #judge(): void {
    if (this.#counted + this.#waiting.size < this.#learned) this.#skipped = SKIPPED;
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
    const { version } = this.#names;
    if (version !== undefined && version === this.#versions[cell]) return true;
    const areSame =
      this.#names.ofHost(clientHost, time, interfaceId) === this.#clients[cell] &&
      this.#names.ofHost(serverHost, time, interfaceId) === this.#servers[cell];
    if (areSame) this.#versions[cell] = version ?? -1;
    return areSame;
  }
}

function setOf(kind: number, { clientHost, serverHost }: FlowInfo): number {
  let hash = Math.imul(kind | 0, 0x9e3779b1) ^ Math.imul(clientHost, 0x85ebca6b) ^ Math.imul(serverHost, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) & (SETS - 1);
}
