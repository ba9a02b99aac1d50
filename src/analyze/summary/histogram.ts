import type { AlikeSums } from '../flow/alike.ts';

/**
 * Buckets to a power of two, by their logarithm: bucket i holds what is above 2^(i/32) s and at most 2^((i+1)/32) s. These are the
 * buckets of an ExponentialHistogram of OpenTelemetry with scale 5, and of a native histogram of Prometheus with schema 5.
 */
const PARTS_BITS = 5;
const PARTS = 1 << PARTS_BITS;
/** The `scale` of OpenTelemetry's ExponentialHistogram. */
export const HISTOGRAM_SCALE = PARTS_BITS;
const SECONDS = 1e-9;
/** What is shorter than 1 ns counts as that long for percentiles, and what is longer than 2^53 ns (104 days) as that. */
const SHORTEST_NS = 1;
const LONGEST_NS = 2 ** 53;

/** The exponent's bias in a double's upper word, and the bits of the fraction in it. */
const BIAS = 1023;
const FRACTION_BITS = 20;
const FRACTION = (1 << FRACTION_BITS) - 1;
/** Steps are half as wide as the mean bucket: at most one bucket ends within a step, so that one comparison finds the bucket. */
const STEPS_BITS = PARTS_BITS + 1;
const STEP_SHIFT = FRACTION_BITS - STEPS_BITS;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
double[0] = 1;
/** Where the sign and exponent are: the byte order is the machine's. */
const UPPER = words[1] === 0 ? 0 : 1;
const LOWER = 1 - UPPER;

/** Upper and lower word of the fraction where each bucket of a power of two ends; those of the last one are above every fraction. */
const ENDS_UPPER = new Uint32Array(PARTS).fill(FRACTION + 1);
const ENDS_LOWER = new Uint32Array(PARTS);
for (let part = 0; part < PARTS - 1; part += 1) {
  double[0] = 2 ** ((part + 1) / PARTS);
  ENDS_UPPER[part] = (words[UPPER] as number) & FRACTION;
  ENDS_LOWER[part] = words[LOWER] as number;
}
/** The bucket in which each step begins. */
const STEPS = new Uint8Array(1 << STEPS_BITS);
for (let step = 0, part = 0; step < STEPS.length; step += 1) {
  while ((ENDS_UPPER[part] as number) <= step << STEP_SHIFT) part += 1;
  STEPS[step] = part;
}

/** What people ask of latencies, ns. Percentiles are within 1.1 % of the value at their rank; maximum and mean are exact. */
export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  readonly mean: number;
}

/** Many histograms count nothing. */
const NO_COUNTS = new Uint32Array(0);

/** What a histogram has counted, for another one to add: of buckets from `offset` on. Bucket i ends at 2^((i+1)/32) s. */
export interface HistogramState {
  readonly count: number;
  /** Sum and maximum of the durations, ns. */
  readonly sum: number;
  readonly max: number;
  readonly offset: number;
  readonly counts: readonly number[];
}

/** The buckets that there are: of 1 ns, and of 2^53 ns. */
export const FIRST_BUCKET = -957;
export const LAST_BUCKET = 740;
/** What a bucket counts at most: further ones are counted in the total, and not in percentiles. */
const BUCKET_MAXIMUM = 2 ** 32 - 1;

/** What a histogram has counted, without its empty buckets: for files and messages. */
export interface BucketsState {
  /** Sum and maximum of the durations, ns. */
  readonly sum: number;
  readonly max: number;
  /** A bucket's number and its count, one after the other, in ascending order: `[-320, 3, -318, 1]`. */
  readonly buckets: readonly number[];
}

/**
 * Counts durations in logarithmic buckets that are read off the bits of a double: 32 to every power of two. It holds
 * only the powers of two it has seen, some 500 bytes for a usual spread. Two of them add up to exactly what one would
 * have counted.
 */
export class Histogram {
  count = 0;
  max = 0;
  #sum = 0;
  /** The first bucket held, a multiple of PARTS. */
  #low = 0;
  #counts = NO_COUNTS;

  /** @param nanoseconds a duration; below 1 it counts as 1 for percentiles */
  record(nanoseconds: number): void {
    this.count += 1;
    if (nanoseconds > 0) this.#sum += nanoseconds;
    if (nanoseconds > this.max) this.max = nanoseconds;
    const bucket = bucketOf(nanoseconds);
    const index = bucket - this.#low;
    if (index < 0 || index >= this.#counts.length) this.#grow(bucket, bucket);
    (this.#counts[bucket - this.#low] as number) += 1;
  }

  /** Record many durations, of which the buckets are known (bucketOf). @param sums of durations that are not negative */
  recordAll({ count, sum, max, buckets, start, lowest, highest }: AlikeSums): void {
    if (count === 0) return;
    this.count += count;
    this.#sum += sum;
    if (max > this.max) this.max = max;
    if (lowest < this.#low || highest >= this.#low + this.#counts.length) this.#grow(lowest, highest);
    const counts = this.#counts;
    const low = this.#low;
    const end = start + count;
    for (let at = start; at < end; at += 1) (counts[(buckets[at] as number) - low] as number) += 1;
  }

  /** Add what another has counted. */
  merge(other: Histogram): void {
    if (other.count === 0) return;
    this.count += other.count;
    this.#sum += other.#sum;
    if (other.max > this.max) this.max = other.max;
    const end = other.#low + other.#counts.length - 1;
    if (this.#counts.length === 0 || other.#low < this.#low || end >= this.#low + this.#counts.length) {
      this.#grow(other.#low, end);
    }
    const shift = other.#low - this.#low;
    for (let index = 0; index < other.#counts.length; index += 1) {
      this.#addTo(index + shift, other.#counts[index] as number);
    }
  }

  /**
   * Add what another one has counted, or what a delta adds to it: counts and sum of a delta may be negative, its maximum is the whole's.
   * @param state validated
   */
  addBuckets({ sum, max, buckets }: BucketsState): void {
    const first = buckets[0];
    const last = buckets[buckets.length - 2];
    if (first !== undefined && last !== undefined) {
      if (this.#counts.length === 0 || first < this.#low || last >= this.#low + this.#counts.length) {
        this.#grow(first, last);
      }
      for (let at = 0; at < buckets.length; at += 2) {
        const count = buckets[at + 1] as number;
        this.count += count;
        this.#addTo((buckets[at] as number) - this.#low, count);
      }
    }
    this.#sum += sum;
    if (max > this.max) this.max = max;
  }

  /** What was counted, without the empty buckets. */
  buckets(): BucketsState {
    const buckets: number[] = [];
    for (let index = 0; index < this.#counts.length; index += 1) {
      const count = this.#counts[index] as number;
      if (count > 0) buckets.push(index + this.#low, count);
    }
    return { sum: this.#sum, max: this.max, buckets };
  }

  /** Sum of the durations, ns. */
  get sum(): number {
    return this.#sum;
  }

  /** Buckets that it holds, also those that are empty. */
  get held(): number {
    return this.#counts.length;
  }

  /** What was counted; without the empty buckets at both ends. */
  state(): HistogramState {
    let first = 0;
    let end = this.#counts.length;
    while (first < end && this.#counts[first] === 0) first += 1;
    while (end > first && this.#counts[end - 1] === 0) end -= 1;
    const offset = first === end ? 0 : this.#low + first;
    const counts = Array.from(this.#counts.subarray(first, end));
    return { count: this.count, sum: this.#sum, max: this.max, offset, counts };
  }

  /** The value at the nearest rank: of the middle of its bucket, at most the maximum. @param share 0.99 for p99 */
  percentile(share: number): number {
    return this.atRank(Math.max(1, Math.ceil(share * this.count)));
  }

  /** The value at a rank, 1 for the least: of the middle of its bucket, at most the maximum. */
  atRank(rank: number): number {
    let passed = 0;
    for (let index = 0; index < this.#counts.length; index += 1) {
      passed += this.#counts[index] as number;
      if (passed >= rank) return Math.min(this.max, Math.round(middleOf(index + this.#low)));
    }
    return this.max;
  }

  /** Undefined when nothing was counted. */
  percentiles(): Percentiles | undefined {
    if (this.count === 0) return undefined;
    return {
      count: this.count,
      p50: this.percentile(0.5),
      p90: this.percentile(0.9),
      p99: this.percentile(0.99),
      max: this.max,
      mean: Math.round(this.#sum / this.count),
    };
  }

  /** An array of this kind begins again at 0 past its maximum. */
  #addTo(index: number, count: number): void {
    const sum = (this.#counts[index] as number) + count;
    this.#counts[index] = Math.min(BUCKET_MAXIMUM, Math.max(0, sum));
  }

  /** Hold the buckets from `first` to `last` as well, in whole powers of two. */
  #grow(first: number, last: number): void {
    const empty = this.#counts.length === 0;
    const [lowest, highest] = [first & -PARTS, (last | (PARTS - 1)) + 1];
    const low = empty ? lowest : Math.min(lowest, this.#low);
    const end = empty ? highest : Math.max(highest, this.#low + this.#counts.length);
    const larger = new Uint32Array(end - low);
    larger.set(this.#counts, empty ? 0 : this.#low - low);
    this.#low = low;
    this.#counts = larger;
  }
}

/** The bucket of a duration. @param nanoseconds below 1, or not a number, it counts as 1 */
export function bucketOf(nanoseconds: number): number {
  // Also what is no number.
  const bounded = nanoseconds > SHORTEST_NS ? Math.min(nanoseconds, LONGEST_NS) : SHORTEST_NS;
  double[0] = bounded * SECONDS;
  const upper = words[UPPER] as number;
  const lower = words[LOWER] as number;
  const fraction = upper & FRACTION;
  const bucket = ((upper >>> FRACTION_BITS) - BIAS) * PARTS;
  // A power of two is the end of the bucket before.
  if (fraction === 0 && lower === 0) return bucket - 1;
  const part = STEPS[fraction >>> STEP_SHIFT] as number;
  const end = ENDS_UPPER[part] as number;
  return fraction > end || (fraction === end && lower > (ENDS_LOWER[part] as number))
    ? bucket + part + 1
    : bucket + part;
}

/** The geometric middle of a bucket, ns: at most 1.1 % from any value in it. */
function middleOf(bucket: number): number {
  return 2 ** ((bucket + 0.5) / PARTS) / SECONDS;
}
