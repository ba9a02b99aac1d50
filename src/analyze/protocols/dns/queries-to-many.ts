/** So many queries are remembered, the newest. */
const QUERIES = 64;
/** An answer that comes later is none: whoever asks many waits for seconds at most (RFC 6762, section 5.1; RFC 4795, section 2.7). ns */
const WAIT_NS = 10e9;

interface Query {
  readonly id: number;
  readonly hash: number;
  readonly time: number;
}

/**
 * Queries of mDNS and LLMNR that were sent to a multicast address. Who knows the name answers from its own address, so with another
 * flow than the query's.
 */
export class QueriesToMany {
  readonly #queries: Query[] = [];
  #next = 0;

  /** @param hash of the question @param time ns */
  add(id: number, hash: number, time: number): void {
    this.#queries[this.#next] = { id, hash, time };
    this.#next = (this.#next + 1) % QUERIES;
  }

  /** Whether a response answers one of them. */
  has(id: number, hash: number, time: number): boolean {
    return this.#queries.some(
      (query) => query.id === id && query.hash === hash && time >= query.time && time - query.time < WAIT_NS,
    );
  }
}
