const HALF = 0x1_0000_0000;
const NANOSECONDS = 1_000_000_000n;

/** A moment as nanoseconds since 1970 in two uint32 halves: without a BigInt per packet. Reused. */
export class CaptureTime {
  high = 0;
  low = 0;
  /** The second of the last call, and its text: packets of one second follow each other. */
  #second = -1;
  #secondHigh = 0;
  #secondLow = 0;

  /** @param seconds uint32 @param nanoseconds uint32, more than a second's worth included */
  setSeconds(seconds: number, nanoseconds: number): void {
    if (seconds !== this.#second) this.#beginSecond(seconds);
    const low = this.#secondLow + nanoseconds;
    if (low < HALF) {
      this.high = this.#secondHigh;
      this.low = low;
      return;
    }
    const carry = Math.floor(low / HALF);
    this.high = this.#secondHigh + carry;
    this.low = low - carry * HALF;
  }

  #beginSecond(seconds: number): void {
    // Split so that every product stays below 2^53.
    const upper = (seconds >>> 16) * 1e9;
    const lower = (seconds & 0xffff) * 1e9;
    const quotient = Math.floor(upper / 0x10000);
    const sum = (upper - quotient * 0x10000) * 0x10000 + lower;
    const carry = Math.floor(sum / HALF);
    this.#second = seconds;
    this.#secondHigh = quotient + carry;
    this.#secondLow = sum - carry * HALF;
  }

  /** A 64-bit count of ticks of 1, 10, 100 or 1000 ns. */
  setTicks(high: number, low: number, nanosecondsPerTick: number): void {
    if (nanosecondsPerTick === 1) {
      this.high = high;
      this.low = low;
      return;
    }
    const product = low * nanosecondsPerTick;
    const carry = Math.floor(product / HALF);
    this.low = product - carry * HALF;
    this.high = (high * nanosecondsPerTick + carry) % HALF;
  }

  /** Any other resolution. What lies outside 64 bits wraps. */
  setOdd(high: number, low: number, ticksPerSecond: bigint, offsetSeconds: bigint): void {
    const ticks = (BigInt(high) << 32n) | BigInt(low);
    const nanoseconds = BigInt.asUintN(64, (ticks * NANOSECONDS) / ticksPerSecond + offsetSeconds * NANOSECONDS);
    this.high = Number(nanoseconds >> 32n);
    this.low = Number(nanoseconds & 0xffff_ffffn);
  }
}

/** How many nanoseconds one tick is, when setTicks can take it; undefined otherwise. */
export function wholeTick(ticksPerSecond: bigint, offsetSeconds: bigint): number | undefined {
  if (offsetSeconds !== 0n) return undefined;
  if (ticksPerSecond === NANOSECONDS) return 1;
  if (ticksPerSecond === 100_000_000n) return 10;
  if (ticksPerSecond === 10_000_000n) return 100;
  return ticksPerSecond === 1_000_000n ? 1000 : undefined;
}
