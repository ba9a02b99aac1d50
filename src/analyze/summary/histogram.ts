/** Equal parts of every power of two: a bucket is 1/32 wide, its middle at most 1/64 (1.6 %) from any value in it. */
const PARTS_BITS = 5;
const PARTS = 1 << PARTS_BITS;
/** Mantissa bits in a double's upper word that a bucket ignores. */
const SHIFT = 20 - PARTS_BITS;
/** The bucket of 1 ns: the exponent's bias. */
const ONE = 1023 << PARTS_BITS;
/** Buckets end at 2^53 ns (104 days); what is longer counts as that long. */
const LAST = 53 << PARTS_BITS;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
double[0] = 1;
/** Where the sign and exponent are: the byte order is the machine's. */
const UPPER = words[1] === 0 ? 0 : 1;

/** What people ask of latencies, ns. Percentiles are within 1.6 % of the value at their rank; maximum and mean are exact. */
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

/**
 * Counts durations in logarithmic buckets that are read off the bits of a double: 32 to every power of two. It holds
 * only the powers of two it has seen, some 500 bytes for a usual spread.
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
      (this.#counts[index + shift] as number) += other.#counts[index] as number;
    }
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

  /** Hold the buckets from `first` to `last` as well, in whole powers of two. */
  #grow(first: number, last: number): void {
    const empty = this.#counts.length === 0;
    const low = Math.min(first & -PARTS, empty ? first & -PARTS : this.#low);
    const end = Math.max((last | (PARTS - 1)) + 1, empty ? 0 : this.#low + this.#counts.length);
    const larger = new Uint32Array(end - low);
    larger.set(this.#counts, empty ? 0 : this.#low - low);
    this.#low = low;
    this.#counts = larger;
  }
}

function bucketOf(nanoseconds: number): number {
  if (!(nanoseconds > 1)) return 0;
  double[0] = nanoseconds;
  const bucket = ((words[UPPER] as number) >>> SHIFT) - ONE;
  return bucket < LAST ? bucket : LAST;
}

function middleOf(bucket: number): number {
  const part = bucket & (PARTS - 1);
  return 2 ** (bucket >> PARTS_BITS) * (1 + (part + 0.5) / PARTS);
}
