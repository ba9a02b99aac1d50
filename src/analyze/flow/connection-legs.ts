import { LEG_ENTRIES } from '../limits.ts';
import type { OtherLeg } from './flow-facts.ts';
import { FLOW_I32 } from './flow-layout.ts';
import type { FlowTable } from './flow-table.ts';

/** Entries looked at for one key before the oldest of them gives way. */
const PROBES = 8;

/** Int32s of an entry: both parts of the key, the flow's slot, and its number + 1; 0 marks a free entry. */
const STRIDE = 4;

/** As AnalysisSink.legShown. */
export type LegShown = (flow: number, interfaceId: number, first: number, second: number, isSegment?: boolean) => void;

/**
 * Finds which open flow of a table had a key first: what NAT does not change, such as both initial sequence numbers of a
 * handshake (64 random bits, RFC 6528). Two flows with one key within a short time are one connection seen on two legs: before
 * and after a Service's DNAT, or behind a masquerading node. Proxies use other sequence numbers and are never joined here.
 *
 * Bounded: LEG_ENTRIES entries of 24 bytes; when its neighbourhood is full the oldest one is forgotten.
 */
export class ConnectionLegs {
  readonly #table: FlowTable;
  readonly #window: number;
  readonly #shown: LegShown | undefined;
  readonly #entries = new Int32Array(LEG_ENTRIES * STRIDE);
  readonly #times = new Float64Array(LEG_ENTRIES);

  /**
   * @param window ns within which both legs have shown the key
   * @param shown is called with every key, for those who join legs of several analyses
   */
  constructor(table: FlowTable, window: number, shown?: LegShown) {
    this.#table = table;
    this.#window = window;
    this.#shown = shown;
  }

  /**
   * The flow in a slot shows a key.
   * @param first, second int32, the key
   * @param time ns since the first packet
   * @returns the slot of the open flow that had it first, or -1
   */
  seen(first: number, second: number, slot: number, time: number): number {
    if (this.#shown !== undefined) {
      const { ints } = this.#table;
      const interfaceId = ints[this.#table.base(slot) + FLOW_I32.interfaceId] as number;
      this.#shown(this.#number(slot) - 1, interfaceId, first, second);
    }
    const entries = this.#entries;
    const home = hashOf(first, second);
    // Without a free entry the oldest one is replaced.
    let victim = home & (LEG_ENTRIES - 1);
    for (let step = 0; step < PROBES; step += 1) {
      const index = (home + step) & (LEG_ENTRIES - 1);
      const at = index * STRIDE;
      const number = entries[at + 3] as number;
      if (number === 0) {
        victim = index;
        break;
      }
      const isSame = entries[at] === first && entries[at + 1] === second;
      if (isSame && Math.abs(time - (this.#times[index] as number)) <= this.#window) {
        const other = entries[at + 2] as number;
        if (other === slot) return -1;
        if (this.#number(other) === number) return other;
        victim = index;
        break;
      }
      if ((this.#times[index] as number) < (this.#times[victim] as number)) victim = index;
    }
    const at = victim * STRIDE;
    entries[at] = first;
    entries[at + 1] = second;
    entries[at + 2] = slot;
    entries[at + 3] = this.#number(slot);
    this.#times[victim] = time;
    return -1;
  }

  /** What is to be known of the flow in a slot by its other leg. */
  describe(slot: number): OtherLeg {
    const { ints } = this.#table;
    const base = this.#table.base(slot);
    const client = ints[base + FLOW_I32.client] as number;
    return { id: this.#number(slot) - 1, serverHost: ints[base + FLOW_I32.hosts + 1 - client] as number };
  }

  /** The flow's number + 1. */
  #number(slot: number): number {
    return this.#table.ints[this.#table.base(slot) + FLOW_I32.id] as number;
  }
}

/** FNV-1a of bytes and a number. @returns int32 */
export function legHash(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash | 0;
}

function hashOf(a: number, b: number): number {
  let hash = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 15), 0xc2b2ae35);
  hash ^= hash >>> 13;
  return Math.imul(hash, 0x27d4eb2f) >>> 0;
}
