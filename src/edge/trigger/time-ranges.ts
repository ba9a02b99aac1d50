/** A time from the first to the last nanosecond, both included; since the first packet of the analysis. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** Ranges that are remembered: of more, the earliest are forgotten. */
const RANGES_MAXIMUM = 1_000;

/** Times that have been kept, as ranges that do not overlap, in order. */
export class TimeRanges {
  #ranges: TimeRange[] = [];

  has(time: number): boolean {
    return this.#ranges.some(({ from, to }) => time >= from && time <= to);
  }

  /** The parts of a range that are not among these. */
  missing({ from, to }: TimeRange): TimeRange[] {
    const missing: TimeRange[] = [];
    let at = from;
    for (const known of this.#ranges) {
      if (known.to < at) continue;
      if (known.from > to) break;
      if (known.from > at) missing.push({ from: at, to: known.from - 1 });
      at = known.to + 1;
    }
    if (at <= to) missing.push({ from: at, to });
    return missing;
  }

  add(added: TimeRange): void {
    let { from, to } = added;
    const apart: TimeRange[] = [];
    for (const known of this.#ranges) {
      if (known.to < from - 1 || known.from > to + 1) apart.push(known);
      else {
        from = Math.min(from, known.from);
        to = Math.max(to, known.to);
      }
    }
    this.#ranges = [...apart, { from, to }].sort((a, b) => a.from - b.from).slice(-RANGES_MAXIMUM);
  }
}
