/**
 * Answers remembered: sets of a few, in which the oldest one goes; a power of two. A second answer to a query comes right behind the
 * first, or hardly matters.
 */
const SETS = 256;
const WAYS = 4;
const STRIDE = 4;

/**
 * A query so soon after its answer, or captured before it at another place so much later, is a copy, or was sent again while the
 * answer was on its way; ns. Nobody asks again as soon as that.
 */
const COPY_NS = 3e6;
const COPY_ELSEWHERE_NS = 250e6;

/** The latest answers, to distinguish one that arrived twice from one whose query was not captured. */
export class RecentAnswers {
  /** A hash of flow and key, 0 for none. Apart from the rest, for most queries and answers are looked up and not found. */
  readonly #tags = new Int32Array(SETS * WAYS);
  /** Flow, id and side, the question's hash, the place of capture. */
  readonly #ints = new Int32Array(SETS * WAYS * STRIDE);
  /** When it came, ns. */
  readonly #times = new Float64Array(SETS * WAYS);

  /** By set, which of its answers goes next. */
  readonly #next = new Uint8Array(SETS);

  /** @param key the id, and above it who asked @param time ns */
  add(flow: number, key: number, hash: number, time: number, place: number): void {
    const tag = tagOf(flow, key);
    const set = tag & (SETS - 1);
    let index = this.#find(tag, flow, key);
    if (index < 0) {
      const way = this.#next[set] as number;
      this.#next[set] = (way + 1) % WAYS;
      index = set * WAYS + way;
    }
    const base = index * STRIDE;
    this.#tags[index] = tag;
    this.#times[index] = time;
    this.#ints[base + 3] = place;
    this.#ints[base] = flow;
    this.#ints[base + 1] = key;
    this.#ints[base + 2] = hash;
  }

  has(flow: number, key: number, hash: number): boolean {
    const index = this.#find(tagOf(flow, key), flow, key);
    return index >= 0 && this.#ints[index * STRIDE + 2] === hash;
  }

  /** Whether a query that comes now was answered: the answer to it came just before it. @param time ns */
  isAnswered(flow: number, key: number, hash: number, time: number, place: number): boolean {
    const index = this.#find(tagOf(flow, key), flow, key);
    if (index < 0 || this.#ints[index * STRIDE + 2] !== hash) return false;
    const within = this.#ints[index * STRIDE + 3] === place ? COPY_NS : COPY_ELSEWHERE_NS;
    return Math.abs(time - (this.#times[index] as number)) <= within;
  }

  /** Where the answer to a query of this flow and id is; -1 where none is remembered. */
  #find(tag: number, flow: number, key: number): number {
    const tags = this.#tags;
    const first = (tag & (SETS - 1)) * WAYS;
    for (let index = first; index < first + WAYS; index += 1) {
      if (tags[index] !== tag) continue;
      if (this.#ints[index * STRIDE] === flow && this.#ints[index * STRIDE + 1] === key) return index;
    }
    return -1;
  }
}

/** Its lower bits tell the set. Never 0. */
function tagOf(flow: number, key: number): number {
  const hash = Math.imul(flow ^ Math.imul(key, 0x9e3779b1), 0x85ebca6b);
  return hash ^ (hash >>> 16) || SETS;
}
