/** Texts remembered; past it all are forgotten and made again. */
const TEXTS_MAXIMUM = 4096;

/** Texts that did not come again while the cache filled up once: then so many are made without it. */
const REUSED_MINIMUM = 256;
const UNCACHED = 16 * TEXTS_MAXIMUM;

/** Texts that are made from other texts, the same few over and over. Where they are not, remembering them costs more than making them. */
export class CacheOfTexts {
  readonly #known = new Map<string, Map<string, string>>();
  /** Those without a second part. */
  #single = new Map<string, string>();
  #count = 0;
  /** Found again since it was empty; texts that are made without it from now on. */
  #found = 0;
  #uncached = 0;

  /** What was made of a text without a second part; undefined where that is not remembered. */
  known(text: string): string | undefined {
    if (this.#uncached > 0) return undefined;
    const known = this.#single.get(text);
    if (known !== undefined) this.#found += 1;
    return known;
  }

  /** @param first and @param second make the key */
  of(first: string, second: string, make: () => string): string {
    if (this.#uncached > 0) {
      this.#uncached -= 1;
      return make();
    }
    let inner = second === '' ? this.#single : this.#known.get(second);
    if (inner === undefined) {
      inner = new Map();
      this.#known.set(second, inner);
    }
    const known = inner.get(first);
    if (known !== undefined) {
      this.#found += 1;
      return known;
    }
    const text = make();
    this.#count += 1;
    if (this.#count > TEXTS_MAXIMUM) {
      this.#known.clear();
      this.#single = new Map();
      this.#count = 0;
      if (this.#found < REUSED_MINIMUM) this.#uncached = UNCACHED;
      this.#found = 0;
    } else inner.set(first, text);
    return text;
  }
}
