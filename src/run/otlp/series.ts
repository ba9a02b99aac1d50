/** Time series in all; what comes later is added up in one series `other` per metric. */
export const SERIES_MAXIMUM = 2000;

/** The name of what a bound has put together. */
export const OTHER = 'other';

/** Remembers which series exist: one that was exported once stays, so that its counts never go back. */
export class SeriesLimit {
  readonly #known = new Set<string>();
  readonly #maximum: number;

  constructor(maximum = SERIES_MAXIMUM) {
    this.#maximum = maximum;
  }

  /** Whether a series may be exported under its own name. */
  admits(key: string): boolean {
    if (this.#known.has(key)) return true;
    if (this.#known.size >= this.#maximum) return false;
    this.#known.add(key);
    return true;
  }
}
