/** Answers remembered: a power of two. A second answer to a query comes right behind the first, or hardly matters. */
const SLOTS = 512;
const STRIDE = 4;

/**
 * A query so soon after its answer, or captured before it at another place so much later, is a copy, or was sent again while the
 * answer was on its way; ns. Nobody asks again as soon as that.
 */
const COPY_NS = 3e6;
const COPY_ELSEWHERE_NS = 250e6;

/** The latest answers, to distinguish one that arrived twice from one whose query was not captured. */
export class RecentAnswers {
  /** Flow + 1 (0 for none), id and side, the question's hash, the place of capture. */
  readonly #ints = new Int32Array(SLOTS * STRIDE);
  /** When it came, ns. */
  readonly #times = new Float64Array(SLOTS);

  /** @param key the id, and above it who asked @param time ns */
  add(flow: number, key: number, hash: number, time: number, place: number): void {
    const index = slot(flow, key);
    const base = index * STRIDE;
    this.#times[index] = time;
    this.#ints[base + 3] = place;
    this.#ints[base] = flow + 1;
    this.#ints[base + 1] = key;
    this.#ints[base + 2] = hash;
  }

  has(flow: number, key: number, hash: number): boolean {
    const ints = this.#ints;
    const base = slot(flow, key) * STRIDE;
    return ints[base] === flow + 1 && ints[base + 1] === key && ints[base + 2] === hash;
  }

  /** Whether a query that comes now was answered: the answer to it came just before it. @param time ns */
  isAnswered(flow: number, key: number, hash: number, time: number, place: number): boolean {
    if (!this.has(flow, key, hash)) return false;
    const index = slot(flow, key);
    const within = this.#ints[index * STRIDE + 3] === place ? COPY_NS : COPY_ELSEWHERE_NS;
    return Math.abs(time - (this.#times[index] as number)) <= within;
  }
}

function slot(flow: number, key: number): number {
  const hash = Math.imul(flow ^ Math.imul(key, 0x9e3779b1), 0x85ebca6b);
  return (hash ^ (hash >>> 16)) & (SLOTS - 1);
}
