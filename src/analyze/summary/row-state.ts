import type { BucketsState, Histogram } from './histogram.ts';

/**
 * What a row of a summary has counted, in the form of files and messages: another row adds it (docs/merging.md). In a delta it is
 * what was counted since the state before: counts may be negative where a row went over into another one.
 */
export interface RowState {
  /** Those that are not 0. */
  readonly counts: Readonly<Record<string, number>>;
  /** Histograms of durations, those that counted something. */
  readonly times: Readonly<Record<string, BucketsState>>;
  /** How often which status came. */
  readonly statuses: readonly (readonly [status: string, count: number])[];
}

/** A row that can be saved and added to. */
export interface Saved {
  state(): RowState;
  addState(state: RowState): void;
}

/** The states of those histograms that counted something. */
export function timesState(histograms: Readonly<Record<string, Histogram>>): Record<string, BucketsState> {
  const states: Record<string, BucketsState> = {};
  for (const [name, histogram] of Object.entries(histograms)) {
    if (histogram.count > 0) states[name] = histogram.buckets();
  }
  return states;
}

/** Add states of histograms to those of the same names. */
export function addTimes(histograms: Readonly<Record<string, Histogram>>, states: RowState['times']): void {
  for (const [name, histogram] of Object.entries(histograms)) {
    const state = states[name];
    if (state !== undefined) histogram.addBuckets(state);
  }
}

/** What was counted since a row's earlier state; undefined where nothing changed. @param before undefined: nothing was counted then */
export function rowDelta(now: RowState, before: RowState | undefined): RowState | undefined {
  if (before === undefined) return now;
  const counts: Record<string, number> = {};
  for (const name of namesOf(now.counts, before.counts)) {
    const difference = (now.counts[name] ?? 0) - (before.counts[name] ?? 0);
    if (difference !== 0) counts[name] = difference;
  }
  const times: Record<string, BucketsState> = {};
  for (const name of namesOf(now.times, before.times)) {
    const difference = bucketsDelta(now.times[name] ?? NOTHING, before.times[name] ?? NOTHING);
    if (difference !== undefined) times[name] = difference;
  }
  const statuses = new Map(now.statuses);
  for (const [status, count] of before.statuses) statuses.set(status, (statuses.get(status) ?? 0) - count);
  const changed = [...statuses].filter(([, count]) => count !== 0);
  const isSame = Object.keys(counts).length + Object.keys(times).length + changed.length === 0;
  return isSame ? undefined : { counts, times, statuses: changed };
}

/** The state of a row of which everything went over into another one. */
export function negated(state: RowState): RowState {
  const nothing: RowState = { counts: {}, times: {}, statuses: [] };
  return rowDelta(nothing, state) ?? nothing;
}

const NOTHING: BucketsState = { sum: 0, max: 0, buckets: [] };

function bucketsDelta(now: BucketsState, before: BucketsState): BucketsState | undefined {
  const counts = new Map<number, number>();
  for (let at = 0; at < now.buckets.length; at += 2)
    counts.set(now.buckets[at] as number, now.buckets[at + 1] as number);
  for (let at = 0; at < before.buckets.length; at += 2) {
    const bucket = before.buckets[at] as number;
    counts.set(bucket, (counts.get(bucket) ?? 0) - (before.buckets[at + 1] as number));
  }
  const buckets = [...counts].filter(([, count]) => count !== 0).sort(([a], [b]) => a - b);
  if (buckets.length === 0 && now.sum === before.sum && now.max === before.max) return undefined;
  return { sum: now.sum - before.sum, max: now.max, buckets: buckets.flat() };
}

function namesOf(a: object, b: object): Set<string> {
  return new Set([...Object.keys(a), ...Object.keys(b)]);
}
