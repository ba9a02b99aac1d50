/** Answers remembered: a power of two. A second answer to a query comes right behind the first, or hardly matters. */
const SLOTS = 512;
const STRIDE = 3;

/** The latest answers, to distinguish one that arrived twice from one whose query was not captured. */
export class RecentAnswers {
  /** Flow + 1 (0 for none), id and side, the question's hash. */
  readonly #ints = new Int32Array(SLOTS * STRIDE);

  /** @param key the id, and above it who asked */
  add(flow: number, key: number, hash: number): void {
    const base = slot(flow, key) * STRIDE;
    this.#ints[base] = flow + 1;
    this.#ints[base + 1] = key;
    this.#ints[base + 2] = hash;
  }

  has(flow: number, key: number, hash: number): boolean {
    const ints = this.#ints;
    const base = slot(flow, key) * STRIDE;
    return ints[base] === flow + 1 && ints[base + 1] === key && ints[base + 2] === hash;
  }
}

function slot(flow: number, key: number): number {
  const hash = Math.imul(flow ^ Math.imul(key, 0x9e3779b1), 0x85ebca6b);
  return (hash ^ (hash >>> 16)) & (SLOTS - 1);
}
