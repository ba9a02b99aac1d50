import { COPY_NS, TRACE_DATAGRAM_AGAIN_NS, TRACE_DATAGRAMS } from '../limits.ts';
import type { Marks } from './marks.ts';

const SMALLEST = 4;

/**
 * When which datagrams of one direction of a flow were seen at one place of capture, by the hash of their content: NAT keeps it.
 * Only the latest TRACE_DATAGRAMS are remembered. The same content again within TRACE_DATAGRAM_AGAIN_NS is the same datagram sent
 * again; of content that comes again later nothing is stated.
 */
export class DatagramMarks implements Marks {
  #hashes = new Int32Array(SMALLEST);
  #times = new Float64Array(SMALLEST);
  /** Datagrams ever added; the latest one is at (count - 1) modulo the capacity. */
  #count = 0;

  /** Any datagram may be one that came before. */
  get changes(): number {
    return this.#count;
  }

  get size(): number {
    return Math.min(this.#count, this.#times.length);
  }

  /** @param hash int32, of its content @param time ns */
  add(hash: number, time: number): void {
    const { length } = this.#times;
    if (this.#count === length && length < TRACE_DATAGRAMS) {
      const hashes = new Int32Array(length * 2);
      const times = new Float64Array(length * 2);
      hashes.set(this.#hashes);
      times.set(this.#times);
      this.#hashes = hashes;
      this.#times = times;
    }
    const slot = this.#count % this.#times.length;
    this.#hashes[slot] = hash;
    this.#times[slot] = time;
    this.#count += 1;
  }

  /** Datagrams have no numbers: none is known to be missing. */
  hasHolesUpTo(): boolean {
    return false;
  }

  firstSeen(hash: number): number | undefined {
    let first: number | undefined;
    for (let index = this.#count - this.size; index < this.#count; index += 1) {
      const slot = index % this.#times.length;
      if (this.#hashes[slot] !== hash) continue;
      const time = this.#times[slot] as number;
      if (first !== undefined && time - first > TRACE_DATAGRAM_AGAIN_NS) return undefined;
      first ??= time;
    }
    return first;
  }

  allSeen(_from: number, to: number): number | undefined {
    return this.firstSeen(to);
  }

  firstAt(time: number): number | undefined {
    let found: number | undefined;
    for (let index = this.#count - this.size; index < this.#count; index += 1) {
      const slot = index % this.#times.length;
      if (this.#times[slot] !== time) continue;
      const hash = this.#hashes[slot] as number;
      if (found !== undefined && found !== hash) return undefined;
      found = hash;
    }
    if (found === undefined) return undefined;
    // The same content before: which of its copies elsewhere is this one's cannot be told.
    const first = this.firstSeen(found);
    return first !== undefined && time - first <= COPY_NS ? found : undefined;
  }

  lastAt(time: number): number | undefined {
    return this.firstAt(time);
  }

  repeatsWithin(
    from: number,
    to: number,
    copyNs: number,
    until: number,
  ): { readonly count: number; readonly after: number } {
    const first = from === to ? this.firstSeen(from) : undefined;
    let count = 0;
    let after = 0;
    if (first === undefined) return { count, after };
    for (let index = this.#count - this.size; index < this.#count; index += 1) {
      const slot = index % this.#times.length;
      const time = this.#times[slot] as number;
      const since = time - first;
      if (this.#hashes[slot] !== from || since <= copyNs || time > until) continue;
      count += 1;
      after = Math.max(after, since);
    }
    return { count, after };
  }
}
