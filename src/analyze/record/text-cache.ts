/** Texts remembered; past it all are forgotten and made again. */
const TEXTS_MAXIMUM = 4096;

/** Texts that are made from other texts, the same few over and over. */
export class CacheOfTexts {
  readonly #known = new Map<string, Map<string, string>>();
  /** Those without a second part. */
  #single = new Map<string, string>();
  #count = 0;

  /** What was made of a text without a second part; undefined where that is not remembered. */
  known(text: string): string | undefined {
    return this.#single.get(text);
  }

  /** @param first and @param second make the key */
  of(first: string, second: string, make: () => string): string {
    let inner = second === '' ? this.#single : this.#known.get(second);
    if (inner === undefined) {
      inner = new Map();
      this.#known.set(second, inner);
    }
    const known = inner.get(first);
    if (known !== undefined) return known;
    const text = make();
    this.#count += 1;
    if (this.#count > TEXTS_MAXIMUM) {
      this.#known.clear();
      this.#single = new Map();
      this.#count = 0;
    } else inner.set(first, text);
    return text;
  }
}
