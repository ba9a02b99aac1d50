import type { Exchange } from '../record/event.ts';
import { Histogram } from './histogram.ts';

/** Periods of a timeline; when the packets last longer, periods are twice as long. A power of two. */
export const PERIODS_MAXIMUM = 256;
/** How long the first periods are, ns. */
const FIRST_PERIOD_NS = 10e6;

class Period {
  count = 0;
  failed = 0;
  bytes = 0;
  retransmissions = 0;
  readonly latency = new Histogram();

  merge(other: Period): void {
    this.count += other.count;
    this.failed += other.failed;
    this.bytes += other.bytes;
    this.retransmissions += other.retransmissions;
    this.latency.merge(other.latency);
  }
}

/** One period of a timeline. Latencies: ns, of exchanges that began in it; undefined where none was complete. */
export interface TimelinePeriod {
  readonly count: number;
  readonly failed: number;
  readonly bytes: number;
  /** TCP segments sent again. */
  readonly retransmissions: number;
  readonly p50: number | undefined;
  readonly p99: number | undefined;
}

export interface TimelineReport {
  /** Of each period, ns. The first one begins at time 0 of the analysis. */
  readonly length: number;
  /** At most PERIODS_MAXIMUM, without gaps; none where nothing came. */
  readonly periods: readonly TimelinePeriod[];
}

/** Exchanges and bytes over time, in at most PERIODS_MAXIMUM periods whatever comes. */
export class Timeline {
  #length = FIRST_PERIOD_NS;
  readonly #periods: Period[] = [];
  /** The period looked up last, and its times: packets come in order, nearly all of them in the same one as the one before. */
  #last: Period | undefined;
  #lastStart = 0;
  #lastEnd = 0;

  /** An exchange counts where it began. */
  exchange({ time, failed, incomplete, responseEnd }: Exchange): void {
    const period = this.#at(time);
    period.count += 1;
    if (failed) period.failed += 1;
    if (incomplete === undefined && responseEnd !== undefined && responseEnd >= time) {
      period.latency.record(responseEnd - time);
    }
  }

  /** @param time ns since the first packet; what is before it counts as then */
  bytes(count: number, time: number): void {
    this.#at(time).bytes += count;
  }

  /** @param time ns since the first packet */
  retransmissions(count: number, time: number): void {
    this.#at(time).retransmissions += count;
  }

  report(): TimelineReport {
    return {
      length: this.#length,
      periods: this.#periods.map(({ count, failed, bytes, retransmissions, latency }) => ({
        count,
        failed,
        bytes,
        retransmissions,
        p50: latency.count === 0 ? undefined : latency.percentile(0.5),
        p99: latency.count === 0 ? undefined : latency.percentile(0.99),
      })),
    };
  }

  #at(time: number): Period {
    if (this.#last !== undefined && time >= this.#lastStart && time < this.#lastEnd) return this.#last;
    let index = time > 0 ? Math.floor(time / this.#length) : 0;
    while (index >= PERIODS_MAXIMUM) {
      this.#double();
      index = Math.floor(time / this.#length);
    }
    for (let next = this.#periods.length; next <= index; next += 1) this.#periods.push(new Period());
    const period = this.#periods[index] as Period;
    this.#last = period;
    this.#lastStart = index * this.#length;
    this.#lastEnd = this.#lastStart + this.#length;
    return period;
  }

  #double(): void {
    this.#length *= 2;
    this.#last = undefined;
    const pairs = Math.ceil(this.#periods.length / 2);
    for (let pair = 0; pair < pairs; pair += 1) {
      const period = this.#periods[2 * pair] as Period;
      const second = this.#periods[2 * pair + 1];
      if (second !== undefined) period.merge(second);
      this.#periods[pair] = period;
    }
    this.#periods.length = pairs;
  }
}
