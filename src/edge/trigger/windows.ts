import type { TimeRange } from './time-ranges.ts';

/** What one match asks for. Times: ns since the first packet of the analysis. */
export interface Match {
  /** The exchange's first and last packet. */
  readonly first: number;
  readonly last: number;
  /** Its flow (flow-key), and the flow's first packet. */
  readonly flow: string;
  readonly flowFirst: number;
}

/** A time to be kept, and flows of which everything before it is kept too. */
export interface Window extends TimeRange {
  /** The first packet of each flow. */
  readonly flows: ReadonlyMap<string, number>;
}

/** A window that goes on because more matches come is kept in parts of this length, ns. */
const PART_NS = 60e9;

/** Flows of one window; of more, only what is in the window is kept. */
const FLOWS_MAXIMUM = 10_000;

interface Open {
  from: number;
  to: number;
  readonly flows: Map<string, number>;
}

/** The windows around matches. Those that overlap are one. */
export class Windows {
  readonly #before: number;
  readonly #after: number;
  #open: Open[] = [];

  /** @param before ns before an exchange, and `after` it */
  constructor(before: number, after: number) {
    this.#before = before;
    this.#after = after;
  }

  add({ first, last, flow, flowFirst }: Match): void {
    const joined: Open = { from: first - this.#before, to: last + this.#after, flows: new Map([[flow, flowFirst]]) };
    const apart: Open[] = [];
    for (const open of this.#open) {
      if (open.to < joined.from || open.from > joined.to) {
        apart.push(open);
        continue;
      }
      joined.from = Math.min(joined.from, open.from);
      joined.to = Math.max(joined.to, open.to);
      for (const [key, at] of open.flows) {
        if (joined.flows.size < FLOWS_MAXIMUM) joined.flows.set(key, Math.min(at, joined.flows.get(key) ?? at));
      }
    }
    this.#open = [...apart, joined];
  }

  /**
   * What can be kept by now: windows that have ended, and parts of those that are long.
   * @param until packets up to this time have come
   */
  due(until: number): Window[] {
    const due: Window[] = [];
    const left: Open[] = [];
    for (const open of this.#open) {
      if (open.to <= until) due.push(open);
      else if (until - open.from > Math.max(PART_NS, 2 * this.#before)) {
        due.push({ from: open.from, to: until, flows: open.flows });
        left.push({ from: until + 1, to: open.to, flows: new Map() });
      } else left.push(open);
    }
    this.#open = left;
    return due;
  }
}
