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
  tooLong: 0,
};

export const totalsShape = members<FoundTotals>({
  packets: amount,
  copies: amount,
  bytes: amount,
  truncated: amount,
  evicted: amount,
  gaps: amount,
  otherHosts: amount,
  incomplete: amount,
  fragmentsEvicted: amount,
  opaque: amount,
  skipped: amount,
  tooLong: amount,
});

/** What was counted since. Counts only grow: what claims to have shrunk has not changed. */
export function totalsSince(now: FoundTotals, before: FoundTotals): FoundTotals {
  const grown = (name: keyof FoundTotals) => Math.max(0, now[name] - before[name]);
  return added(NO_TOTALS, (name) => grown(name));
}

/** @param more by name */
export function added(totals: FoundTotals, more: (name: keyof FoundTotals) => number): FoundTotals {
  const sum: { -readonly [Name in keyof FoundTotals]: number } = { ...totals };
  for (const name of Object.keys(NO_TOTALS) as (keyof FoundTotals)[]) sum[name] = totals[name] + more(name);
  return sum;
}
