import { amount, members } from './shape.ts';

/** What an analysis has counted that no event shows, since its beginning. */
export interface FoundTotals {
  readonly packets: number;
  readonly copies: number;
  /** Bytes of packets as captured, and packets of which the capture kept a part only. */
  readonly bytes: number;
  readonly truncated: number;
  /** Flows that ended early because a table was full, holes that were given up, and addresses without room. */
  readonly evicted: number;
  readonly gaps: number;
  readonly otherHosts: number;
  /** IP datagrams that were not put together, and those of them that a bound cost. */
  readonly incomplete: number;
  readonly fragmentsEvicted: number;
  /** Packets of no known protocol: they are counted, and not shown one by one. */
  readonly opaque: number;
  /** Packets of connections that were not analysed, because there were more than the agent could keep up with. */
  readonly skipped: number;
  /** Events that do not match `--where`, which did not travel. */
  readonly filtered: number;
  /** Findings that were too long for a block. */
  readonly tooLong: number;
}

export const NO_TOTALS: FoundTotals = {
  packets: 0,
  copies: 0,
  bytes: 0,
  truncated: 0,
  evicted: 0,
  gaps: 0,
  otherHosts: 0,
  incomplete: 0,
  fragmentsEvicted: 0,
  opaque: 0,
  skipped: 0,
  filtered: 0,
  tooLong: 0,
};

export const totalsShape = members<FoundTotals>(each(() => amount));

/** What was counted since. Counts only grow: what claims to have shrunk has not changed. */
export function totalsSince(now: FoundTotals, before: FoundTotals): FoundTotals {
  return each((name) => Math.max(0, now[name] - before[name]));
}

export function added(some: FoundTotals, more: FoundTotals): FoundTotals {
  return each((name) => some[name] + more[name]);
}

/** @param make the value of a count, by its name */
function each<Value>(make: (name: keyof FoundTotals) => Value): Record<keyof FoundTotals, Value> {
  const names = Object.keys(NO_TOTALS) as (keyof FoundTotals)[];
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<keyof FoundTotals, Value>;
}
