/**
 * The waits between attempts of something that fails: doubled from the first to the longest. Only the numbers: the caller
 * waits.
 */
export class Backoff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  readonly #random: (() => number) | undefined;
  #nextMs: number;

  /**
   * @param firstMs the first wait, milliseconds
   * @param longestMs no wait is longer, spreading aside, milliseconds
   * @param random numbers from 0 to 1 that spread each wait from half of it to one and a half, so that clients that lost
   *   the same server do not all come back at once; left out: waits are exact
   */
  constructor(firstMs: number, longestMs: number, random?: () => number) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
    this.#random = random;
    this.#nextMs = firstMs;
  }

  /** How long to wait before the next attempt, milliseconds. */
  next(): number {
    const wait = this.#nextMs;
    this.#nextMs = Math.min(wait * 2, this.#longestMs);
    return this.#random === undefined ? wait : wait * (0.5 + this.#random());
  }

  /** An attempt has succeeded: the next wait is the first again. */
  reset(): void {
    this.#nextMs = this.#firstMs;
  }
}
