/** Where an analysis stands: the time of the packet being looked at, ns since the first one. Shared by all who ask. */
export class Clock {
  now = 0;
  /** The earliest and latest packet so far. */
  earliest = 0;
  latest = 0;
  #baseHigh = 0;
  #baseLow = 0;
  #started = false;

  /** Set it to a packet's time. @param high nanoseconds since 1970, upper and lower half */
  set(high: number, low: number): void {
    if (!this.#started) {
      this.#started = true;
      this.#baseHigh = high;
      this.#baseLow = low;
    }
    const now = (high - this.#baseHigh) * 0x1_0000_0000 + (low - this.#baseLow);
    this.now = now;
    if (now > this.latest) this.latest = now;
    else if (now < this.earliest) this.earliest = now;
  }

  /** Nanoseconds since 1970 of a time of the analysis. */
  absolute(time: number): bigint {
    return (BigInt(this.#baseHigh) << 32n) + BigInt(this.#baseLow) + BigInt(Math.round(time));
  }

  /** Time of the analysis for nanoseconds since 1970. */
  relative(absolute: bigint): number {
    return Number(absolute - this.absolute(0));
  }
}
