import { FRAGMENT_RUNS } from '../limits.ts';

/** What became of a fragment. */
export const KEPT = {
  kept: 0,
  /** All its bytes were there, and are the same. */
  duplicate: 1,
  /** Some of its bytes were there, or all and are others. */
  overlap: 2,
  /** It reaches past the end that another fragment gave, or the datagram is in more pieces than are kept. */
  refused: 3,
} as const;
export type Kept = (typeof KEPT)[keyof typeof KEPT];

const CHUNK = 2048;

/**
 * A number of 32 bits that stands for a fragment: its place, its length, its captured bytes (FNV-1a).
 * @param from where its bytes start, `captured` of them @param start its place in the datagram @param length on the wire
 */
export function signatureOf(bytes: Uint8Array, from: number, captured: number, start: number, length: number): number {
  let hash = Math.imul(start ^ 0x811c9dc5, 0x01000193) ^ length;
  for (let at = from; at < from + captured; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash;
}

/** Bytes of an IP datagram of which the fragments come in any order. */
export class Fragmented {
  readonly key: string;
  /** Stands for the datagram: no other one has it. */
  readonly number: number;
  /** When its first fragment came, in nanoseconds since 1970. */
  readonly began: number;
  /** The first fragment's frame up to the fragmented bytes; undefined until it came. */
  prefix: Uint8Array | undefined;
  /** How many layers that is, and how long its frame was on the wire. */
  prefixLayers = 0;
  prefixLength = 0;
  /** Given up, yet remembered so that the fragments to come are refused as well. */
  dropped = false;
  content: Uint8Array = new Uint8Array(0);
  /** Bytes of the whole datagram once the last fragment has arrived; else -1. */
  total = -1;
  /** From here on bytes are missing because the capture cut a fragment. */
  cutAt = Number.POSITIVE_INFINITY;
  /** A number for each fragment kept, by which a copy of it is known once the bytes are gone. */
  readonly signatures: number[] = [];
  /** Runs of bytes that are there: start, end, start, end, ascending, apart from one another. */
  readonly #runs: number[] = [];

  constructor(key: string, number: number, began: number) {
    this.key = key;
    this.number = number;
    this.began = began;
  }

  /** Bytes this datagram holds. */
  get held(): number {
    return this.content.length + (this.prefix?.length ?? 0);
  }

  /** Whether every byte is there. */
  get complete(): boolean {
    return this.#runs[0] === 0 && this.#runs[1] === this.total;
  }

  /**
   * Keep a fragment's bytes; where there are some already, those stay.
   * @param start its place in the datagram
   * @param length its bytes on the wire, of which `captured` were captured at `from` in `bytes`
   */
  keep(bytes: Uint8Array, from: number, captured: number, start: number, length: number, isLast: boolean): Kept {
    const end = start + length;
    const runs = this.#runs;
    const reached = runs.at(-1) ?? 0;
    if (isLast ? reached > end || (this.total >= 0 && this.total !== end) : this.total >= 0 && end > this.total) {
      return KEPT.refused;
    }
    const where = this.#place(bytes, from, captured, start, end);
    if (where === KEPT.duplicate) {
      if (isLast) this.total = end;
      return where;
    }
    if (runs.length >= 2 * FRAGMENT_RUNS) return KEPT.refused;
    if (this.signatures.length < FRAGMENT_RUNS) this.signatures.push(signatureOf(bytes, from, captured, start, length));
    if (isLast) this.total = end;
    this.#grow(end);
    this.#fill(bytes, from, captured, start, end);
    if (captured < length) this.cutAt = Math.min(this.cutAt, start + captured);
    return where;
  }

  /** The bytes stay out of memory from here on. */
  drop(): void {
    this.dropped = true;
    this.content = new Uint8Array(0);
    this.prefix = undefined;
    this.#runs.length = 0;
  }

  #place(bytes: Uint8Array, from: number, captured: number, start: number, end: number): Kept {
    const runs = this.#runs;
    for (let index = 0; index < runs.length; index += 2) {
      const runStart = runs[index] as number;
      const runEnd = runs[index + 1] as number;
      if (start >= runStart && end <= runEnd) {
        return this.#same(bytes, from, captured, start) ? KEPT.duplicate : KEPT.overlap;
      }
      if (start < runEnd && end > runStart) return KEPT.overlap;
    }
    return KEPT.kept;
  }

  /** Bytes that a cut capture left out are taken for the same. */
  #same(bytes: Uint8Array, from: number, captured: number, start: number): boolean {
    const stop = Math.min(captured, this.cutAt - start);
    for (let index = 0; index < stop; index += 1) {
      if (bytes[from + index] !== this.content[start + index]) return false;
    }
    return true;
  }

  /** Copy what is not there yet, and join the runs that touch. */
  #fill(bytes: Uint8Array, from: number, captured: number, start: number, end: number): void {
    const runs = this.#runs;
    let index = 0;
    while (index < runs.length && (runs[index + 1] as number) < start) index += 2;
    let joinedStart = start;
    let joinedEnd = end;
    let at = start;
    let last = index;
    while (last < runs.length && (runs[last] as number) <= end) {
      const runStart = runs[last] as number;
      const runEnd = runs[last + 1] as number;
      this.#copy(bytes, from, captured, start, at, runStart);
      at = Math.max(at, runEnd);
      joinedStart = Math.min(joinedStart, runStart);
      joinedEnd = Math.max(joinedEnd, runEnd);
      last += 2;
    }
    this.#copy(bytes, from, captured, start, at, end);
    runs.splice(index, last - index, joinedStart, joinedEnd);
  }

  #copy(bytes: Uint8Array, from: number, captured: number, start: number, at: number, end: number): void {
    const stop = Math.min(end, start + captured);
    if (stop > at) this.content.set(bytes.subarray(from + at - start, from + stop - start), at);
  }

  #grow(end: number): void {
    if (end <= this.content.length) return;
    const grown = new Uint8Array(Math.max(Math.ceil(end / CHUNK) * CHUNK, this.content.length * 2));
    grown.set(this.content);
    this.content = grown;
  }
}
