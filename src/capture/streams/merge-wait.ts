import { MERGE_WINDOW_MS } from '../limits.ts';

/**
 * So long, and at most twice as long, the wait remembers how late packets came, milliseconds: on an overloaded machine the next delay
 * may come half a minute after the last one.
 */
const REMEMBERED_MS = 60_000;
/** The wait is so many times the one that was needed: on a busy machine later packets may come later still. */
const MARGIN = 2;

/**
 * How long a packet waits in the merge for interfaces that show none. It is `least` while all come in time. Where `most` is more,
 * the wait follows how late packets come: an agent whose machine is busy hands them over later, and a wait that is too short
 * costs the order of time, one that is too long only delays.
 */
export class MergeWait {
  readonly #least: number;
  readonly #most: number;
  #ms: number;
  #needed = 0;
  #neededBefore = 0;
  #since = Number.NEGATIVE_INFINITY;

  /** @param least milliseconds, as is `most` */
  constructor(least = MERGE_WINDOW_MS, most = least) {
    this.#least = least;
    this.#most = Math.max(least, most);
    this.#ms = least;
  }

  /** The wait at a time of the client's monotonic clock, milliseconds. */
  at(now: number): number {
    if (this.#ms > this.#least && now - this.#since > REMEMBERED_MS) this.#turn(now);
    return this.#ms;
  }

  /**
   * An interface without a packet has shown one that is earlier than one which waits, or was written before.
   * @param ms how long that one has waited, or would have had to
   * @param now the client's monotonic clock, milliseconds
   */
  needed(ms: number, now: number): void {
    if (this.#most === this.#least) return;
    if (now - this.#since > REMEMBERED_MS) this.#turn(now);
    if (ms <= this.#needed) return;
    this.#needed = ms;
    this.#adapt();
  }

  #turn(now: number): void {
    const isRecent = now - this.#since <= 2 * REMEMBERED_MS;
    this.#neededBefore = isRecent ? this.#needed : 0;
    this.#needed = 0;
    this.#since = now;
    this.#adapt();
  }

  #adapt(): void {
    const wanted = MARGIN * Math.max(this.#needed, this.#neededBefore);
    this.#ms = Math.min(this.#most, Math.max(this.#least, wanted));
  }
}
