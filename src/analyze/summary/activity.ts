/** How long a period is, and how many are kept of each row: five minutes. */
export const ACTIVITY_PERIOD_NS = 5e9;
export const ACTIVITY_PERIODS = 60;

/** The last whole periods that a rate is of, besides the one under way. */
const RATE_PERIODS = 2;

/** Keys that are followed; later ones have no activity. */
const SERIES_MAXIMUM = 4096;

interface Series {
  /** Of the period that ended n periods ago at `(next - 1 - n)`. */
  readonly counts: Uint32Array;
  /** What had been counted when the last period ended. */
  total: number;
}

export interface ActivityReading {
  /** Counts of whole periods, oldest first. */
  readonly counts: readonly number[];
  /** Per second, of the last ten to fifteen seconds. */
  readonly rate: number;
}

/**
 * How much was counted in each of the last periods, by a key: taken from running totals when a period ends, so that a
 * count itself costs nothing. Times are of packets, ns.
 */
export class Activity {
  readonly #totals: () => ReadonlyMap<string, number>;
  readonly #series = new Map<string, Series>();
  /** When the period under way began. */
  #began: number | undefined;
  #next = 0;
  #periods = 0;

  /** @param totals what has been counted of each key so far */
  constructor(totals: () => ReadonlyMap<string, number>) {
    this.#totals = totals;
  }

  /** The time has come to `time`; to be called before what happened then is counted. */
  advance(time: number): void {
    this.#began ??= time;
    const ended = Math.floor((time - this.#began) / ACTIVITY_PERIOD_NS);
    if (ended <= 0) return;
    this.#began += ended * ACTIVITY_PERIOD_NS;
    // All that was counted since belongs to the first of them; nothing happened in the others.
    this.#push(this.#totals());
    const silent = Math.min(ended - 1, ACTIVITY_PERIODS);
    for (let period = 0; period < silent; period += 1) this.#push(undefined);
  }

  /** @param total what has been counted of the key by now; @param time now */
  reading(key: string, total: number, time: number): ActivityReading {
    const series = this.#series.get(key);
    const began = this.#began ?? time;
    const kept = Math.min(this.#periods, ACTIVITY_PERIODS);
    const counts = Array.from({ length: kept }, (_, index) => {
      const place = (this.#next - kept + index + ACTIVITY_PERIODS) % ACTIVITY_PERIODS;
      return series?.counts[place] ?? 0;
    });
    const recent = counts.slice(-RATE_PERIODS).reduce((sum, count) => sum + count, total - (series?.total ?? 0));
    const seconds = (Math.min(kept, RATE_PERIODS) * ACTIVITY_PERIOD_NS + Math.max(0, time - began)) / 1e9;
    return { counts, rate: seconds > 0 ? recent / Math.max(1, seconds) : 0 };
  }

  #push(totals: ReadonlyMap<string, number> | undefined): void {
    if (totals !== undefined) {
      for (const key of totals.keys()) {
        if (this.#series.has(key) || this.#series.size >= SERIES_MAXIMUM) continue;
        this.#series.set(key, { counts: new Uint32Array(ACTIVITY_PERIODS), total: 0 });
      }
    }
    for (const [key, series] of this.#series) {
      const total = totals?.get(key) ?? series.total;
      series.counts[this.#next] = total - series.total;
      series.total = total;
    }
    this.#next = (this.#next + 1) % ACTIVITY_PERIODS;
    this.#periods += 1;
  }
}
