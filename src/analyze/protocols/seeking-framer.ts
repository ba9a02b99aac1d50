import { joinedOctets } from '../../wire/octets.ts';
/** How a protocol's messages say their length, and what tells the beginning of one within a stream. */
export interface SeekingFraming {
  /** Octets from which the length is known. */
  readonly header: number;
  /** Most octets kept of one message: what is behind is skipped, and counted. */
  readonly keep: number;
  /** Octets of a longer message's end that are kept besides. */
  readonly tail?: number;
  /** Octets that `begins` looks at; at least `header`. */
  readonly seek: number;
  /** The whole message's length, header included; less than `header` means that this is no message: sync is lost. */
  lengthOf(bytes: Uint8Array, start: number): number;
  /** Whether a message begins here, after sync was lost: strict, as it is asked at every octet. */
  begins(bytes: Uint8Array, start: number): boolean;
  /**
   * A message, or its first `keep` octets up to the first that is missing; valid during the call only.
   * @param length of the whole message
   * @param firstTime when its first octet came
   * @param whole false when octets of it were not captured
   * @param tail where, in `bytes`, the last `tail` octets of a message longer than `keep` and `tail` begin; -1 for others
   */
  onMessage(
    bytes: Uint8Array,
    start: number,
    end: number,
    length: number,
    firstTime: number,
    lastTime: number,
    whole: boolean,
    tail: number,
  ): void;
  /** A message under way will not be known whole: sync was lost in it. */
  onLost(): void;
}

/** Octets that a connection holds on to between messages. */
const KEPT_MAXIMUM = 1024;
const NOTHING = new Uint8Array(0);

/**
 * Cuts one direction of a stream into messages that begin with their length. One that lies whole in a portion is handed on
 * in place. Where octets are missing within one message, the next is found by its length; where sync is lost, by looking
 * for a beginning at every octet. How the stream is cut into portions changes nothing.
 */
export class SeekingFramer {
  readonly #framing: SeekingFraming;
  readonly #tail: number;
  #kept: Uint8Array = NOTHING;
  /** Octets in `#kept`: of the message under way, or of what was looked at in vain and may be a beginning with what follows. */
  #filled = 0;
  /** Of the message under way, or 0 while its header is not whole. */
  #length = 0;
  #seen = 0;
  #whole = true;
  #firstTime = 0;
  #seeking = false;

  constructor(framing: SeekingFraming) {
    this.#framing = framing;
    this.#tail = framing.tail ?? 0;
  }

  /** Take the next octets. @param now time of the packet they came in */
  data(bytes: Uint8Array, start: number, end: number, now: number): void {
    let at = start;
    while (at < end) at = this.#seeking ? this.#seek(bytes, at, end, now) : this.#frame(bytes, at, end, now);
  }

  /** What follows is no message: look for the next beginning. May be called by `onMessage`. */
  seek(): void {
    this.#reset();
    this.#seeking = true;
  }

  /** Octets that were not captured. */
  gap(length: number, now: number): void {
    if (this.#seeking) {
      this.#filled = 0;
      return;
    }
    if (length > this.#length - this.#seen) {
      this.#lose();
      return;
    }
    this.#seen += length;
    this.#whole = false;
    if (this.#seen === this.#length) this.#finish(now);
  }

  /** @returns where to go on: behind a message or what there is of one; where sync was lost */
  #frame(bytes: Uint8Array, start: number, end: number, now: number): number {
    const { header, keep } = this.#framing;
    let at = start;
    while (at < end && !this.#seeking) {
      if (this.#seen === 0) {
        this.#firstTime = now;
        // The usual case: the message lies whole in this portion.
        if (end - at >= header) {
          const length = this.#framing.lengthOf(bytes, at);
          if (!(length >= header)) {
            this.#lose();
            return at;
          }
          if (length <= end - at) {
            const tail = length > keep + this.#tail ? at + length - this.#tail : -1;
            const kept = tail < 0 ? Math.min(length, keep + this.#tail) : keep;
            this.#framing.onMessage(bytes, at, at + kept, length, now, now, true, tail);
            at += length;
            continue;
          }
          this.#length = length;
        }
      }
      const taken = Math.min((this.#length === 0 ? header : this.#length) - this.#seen, end - at);
      if (this.#whole) this.#take(bytes, at, taken);
      this.#seen += taken;
      at += taken;
      if (this.#length === 0 && this.#seen === header) {
        const length = this.#framing.lengthOf(this.#kept, 0);
        if (!(length >= header)) {
          const filled = this.#filled;
          this.#lose();
          // These octets may hold a beginning, behind the one that was looked at.
          this.#filled = filled;
          return at;
        }
        this.#length = length;
      }
      if (this.#length > 0 && this.#seen === this.#length) this.#finish(now);
    }
    return at;
  }

  /** Look for a beginning. @returns where to go on in this portion */
  #seek(bytes: Uint8Array, start: number, end: number, now: number): number {
    const { seek } = this.#framing;
    const held = this.#filled;
    if (held > 0) {
      // Beginnings in what is held, which go on in this portion.
      const window = joinedOctets([
        this.#kept.subarray(0, held),
        bytes.subarray(start, Math.min(end, start + seek - 1)),
      ]);
      for (let at = 0; at < held && at + seek <= window.length; at += 1) {
        if (!this.#framing.begins(window, at)) continue;
        this.#found();
        this.data(window, at, held, now);
        return start;
      }
      if (window.length < held + seek - 1) {
        this.#hold(window, Math.max(0, window.length - seek + 1), window.length);
        return end;
      }
      this.#filled = 0;
    }
    for (let at = start; at + seek <= end; at += 1) {
      if (!this.#framing.begins(bytes, at)) continue;
      this.#found();
      return at;
    }
    this.#hold(bytes, Math.max(start, end - seek + 1), end);
    return end;
  }

  #hold(bytes: Uint8Array, start: number, end: number): void {
    this.#filled = 0;
    this.#keep(bytes, start, end - start);
  }

  #found(): void {
    this.#seeking = false;
    this.#filled = 0;
    this.#whole = true;
  }

  #finish(now: number): void {
    const length = this.#length;
    const { keep } = this.#framing;
    const whole = this.#whole;
    const long = length > keep + this.#tail;
    const filled = Math.min(this.#filled, long ? keep : keep + this.#tail);
    this.#reset();
    const kept = this.#kept;
    if (kept.length > KEPT_MAXIMUM) this.#kept = NOTHING;
    this.#framing.onMessage(kept, 0, filled, length, this.#firstTime, now, whole, long && whole ? keep : -1);
  }

  #lose(): void {
    const under = this.#length > 0;
    this.#reset();
    this.#seeking = true;
    if (under) this.#framing.onLost();
  }

  #reset(): void {
    this.#filled = 0;
    this.#seen = 0;
    this.#length = 0;
    this.#whole = true;
  }

  /** Of the next octets of a message, keep those of its head and of its end. */
  #take(bytes: Uint8Array, at: number, taken: number): void {
    const { header, keep } = this.#framing;
    const room = keep + this.#tail;
    const head = this.#length > room ? keep : Math.max(room, header);
    this.#keep(bytes, at, Math.min(taken, head - this.#filled));
    if (this.#tail === 0 || this.#length <= room) return;
    const skipped = Math.max(0, this.#length - this.#tail - this.#seen);
    if (taken > skipped) this.#keep(bytes, at + skipped, taken - skipped);
  }

  #keep(bytes: Uint8Array, start: number, length: number): void {
    if (length <= 0) return;
    const needed = this.#filled + length;
    if (needed > this.#kept.length) {
      const larger = new Uint8Array(Math.max(256, needed, Math.min(this.#kept.length * 2, this.#framing.keep)));
      larger.set(this.#kept.subarray(0, this.#filled));
      this.#kept = larger;
    }
    this.#kept.set(bytes.subarray(start, start + length), this.#filled);
    this.#filled += length;
  }
}
