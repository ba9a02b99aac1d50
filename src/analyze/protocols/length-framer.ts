/** How a protocol's messages say their length. */
export interface Framing {
  /** Octets from which the length is known. */
  readonly header: number;
  /** Most octets kept of one message: what is behind is skipped, and counted. */
  readonly keep: number;
  /** The whole message's length, header included; less than `header` means that this is no message: sync is lost. */
  lengthOf(bytes: Uint8Array, start: number): number;
  /** A message, or its first `keep` octets; valid during the call only. `time`s are when its first and last octet came. */
  onMessage(bytes: Uint8Array, start: number, end: number, length: number, firstTime: number, lastTime: number): void;
  /** The stream does not hold what it should any more (or a gap hit a part that is needed). */
  onLost(): void;
}

/**
 * Cuts one direction of a stream into messages that begin with their length. A message that lies whole in one portion is
 * handed on in place; only one that spans portions is gathered. A gap inside a message's skipped part costs nothing.
 */
export class LengthFramer {
  readonly #framing: Framing;
  #kept: Uint8Array = new Uint8Array(0);
  #filled = 0;
  /** Of the message under way, or 0 while its header is not whole. */
  #length = 0;
  #seen = 0;
  #firstTime = 0;
  #lost = false;

  constructor(framing: Framing) {
    this.#framing = framing;
  }

  /** Within a message. */
  get pending(): boolean {
    return this.#seen > 0;
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** Start anew at the next octet: a place where a message is known to begin. */
  restart(): void {
    this.#filled = 0;
    this.#seen = 0;
    this.#length = 0;
    this.#lost = false;
  }

  /** Leave off: nothing is framed until `restart`. What is left of the portion in `data` is not looked at. */
  stop(): void {
    this.#lost = true;
  }

  /**
   * Take the next octets.
   * @param now time of the packet they came in
   * @returns where framing stood when it ended: `end`, or earlier when `stop` was called by `onMessage`
   */
  data(bytes: Uint8Array, start: number, end: number, now: number): number {
    const { header, keep } = this.#framing;
    let at = start;
    while (at < end && !this.#lost) {
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
            const from = at;
            at += length;
            this.#framing.onMessage(bytes, from, from + Math.min(length, keep), length, now, now);
            continue;
          }
          this.#length = length;
        }
      }
      const wanted = this.#length === 0 ? header : this.#length;
      const taken = Math.min(wanted - this.#seen, end - at);
      this.#keep(bytes, at, Math.min(taken, Math.max(0, Math.max(keep, header) - this.#filled)));
      this.#seen += taken;
      at += taken;
      if (this.#length === 0 && this.#seen === header) {
        const length = this.#framing.lengthOf(this.#kept, 0);
        if (!(length >= header)) {
          this.#lose();
          return at;
        }
        this.#length = length;
      }
      if (this.#length > 0 && this.#seen === this.#length) this.#finish(now);
    }
    return at;
  }

  /** Octets that were not captured. */
  gap(length: number, now: number): void {
    if (this.#lost) return;
    const skippable = this.#length > 0 && this.#filled >= this.#framing.keep ? this.#length - this.#seen : 0;
    if (length > skippable) {
      this.#lose();
      return;
    }
    this.#seen += length;
    if (this.#seen === this.#length) this.#finish(now);
  }

  #finish(now: number): void {
    const { keep } = this.#framing;
    const length = this.#length;
    const filled = Math.min(this.#filled, keep);
    const first = this.#firstTime;
    this.#filled = 0;
    this.#seen = 0;
    this.#length = 0;
    this.#framing.onMessage(this.#kept, 0, filled, length, first, now);
  }

  #lose(): void {
    this.#lost = true;
    this.#filled = 0;
    this.#seen = 0;
    this.#length = 0;
    this.#framing.onLost();
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
