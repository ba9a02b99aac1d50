import { joinedBytes } from '../../wire/bytes.ts';

/** How a protocol's messages state their length, and what to do where they cannot be followed. */
export interface Framing {
  /** Bytes from which the length is known; the least of them where that varies. */
  readonly header: number;
  /** Where that varies: the most bytes that a header can have. */
  readonly headerMaximum?: number;
  /** Most bytes kept of one message: what follows is skipped, and counted. */
  readonly keep: number;
  /** Bytes of a longer message's end that are kept as well. */
  readonly tail?: number;
  /** Messages in which bytes are missing are handed over, with `whole` false; otherwise one that lacks kept bytes is a loss. */
  readonly holes?: boolean;
  /** So are, before `onLost`, messages that lack their end and what follows it. */
  readonly cut?: boolean;
  /**
   * How to find the next message after a loss. Without it nothing is framed after a loss until `restart`.
   * `bytes` is how many bytes `begins` looks at, at least `header`; it is asked as soon as `least` of them (all, where that
   * is not stated) are there.
   */
  readonly seeking?: {
    readonly bytes: number;
    readonly least?: number;
    /**
     * Whether a message begins here: strict, as it is asked at every byte. Undefined where that takes more bytes than lie
     * before `end`; never with `bytes` of them.
     * @param offset of bytes[start] in the stream
     */
    begins(bytes: Uint8Array, start: number, end: number, offset: number): boolean | undefined;
  };
  /**
   * The whole message's length, header included; less than `header` means that this is not a message: synchronisation is lost.
   * Undefined where the header has more bytes than lie before `end`; bytes behind the header change nothing.
   */
  lengthOf(bytes: Uint8Array, start: number, end: number): number | undefined;
  /**
   * A message, or its first `keep` bytes up to the first that is missing; valid during the call only.
   * @param length of the whole message
   * @param firstTime when its first byte came, ns
   * @param lastTime when its last byte came, ns
   * @param whole false when bytes of it were not captured
   * @param tail where, in `bytes`, the last `tail` bytes of a message longer than `keep` and `tail` begin; -1 for others
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
  /** Sync is lost: a message under way (if any, see `pending`) will not be known whole. */
  onLost(): void;
  /** Captured bytes are no message and are skipped, from this stream offset on: called once for each loss. */
  onSkipped?(offset: number): void;
}

/** Bytes that a connection holds between messages. */
const KEPT_MAXIMUM = 1024;
const NOTHING = new Uint8Array(0);

const FRAMING = 0;
const SEEKING = 1;
const STOPPED = 2;

/**
 * Cuts one direction of a stream into messages that begin with their length. One that lies whole in a portion is handed on
 * in place; only one that spans portions is gathered. Where sync is lost, the next message is looked for at every byte, or
 * framing stops (`Framing.seeking`). How the stream is cut into portions changes nothing.
 */
export class LengthFramer {
  /** During `onMessage`: where in the stream the message begins, in bytes. */
  offset = 0;
  /** During `onMessage`: what the packets of its first and last byte acknowledge of the other direction, -1 if unknown. */
  firstAcknowledged = -1;
  lastAcknowledged = -1;
  /** During `onMessage`: the times of its first and last byte are known, as those of their own packets. */
  timed = true;
  /** During `onMessage`: its last byte was captured; otherwise `lastTime` is the time at which the gap was known. */
  endSeen = true;
  /** During `onMessage`: bytes of it that came. */
  captured = 0;
  readonly #framing: Framing;
  readonly #tail: number;
  #kept: Uint8Array = NOTHING;
  /** Bytes in `#kept`: of the message under way, or of what may be a beginning together with what follows. */
  #filled = 0;
  /** Of the message under way, or 0 while its header is not whole. */
  #length = 0;
  #seen = 0;
  /** Of the bytes seen, those that only a gap stands for. */
  #missing = 0;
  #whole = true;
  #firstTime = 0;
  #timeKnown = true;
  /**
   * Of the bytes of a header, or held while seeking: how many at the front are of an earlier packet, its time, and the time
   * of the others; NaN where that is not known. And what the last packet acknowledges.
   */
  #earlier = 0;
  #earlierTime = Number.NaN;
  #earlierAcknowledged = -1;
  #heldTime = Number.NaN;
  #heldAcknowledged = -1;
  #state = FRAMING;
  /** Where a message was refused last: what looks like a beginning there is none. */
  #refusedAt = -1;
  /** `onSkipped` was called for this loss, or the protocol itself asked to seek. */
  #announced = false;

  constructor(framing: Framing) {
    this.#framing = framing;
    this.#tail = framing.tail ?? 0;
  }

  /** Within a message. */
  get pending(): boolean {
    return this.#seen > 0;
  }

  /** Bytes of the message under way that came so far. */
  get seen(): number {
    return this.#seen;
  }

  /** Length of the current message; 0 without one, or while its header is incomplete. */
  get length(): number {
    return this.#length;
  }

  /** When the first byte of the message under way came, ns. */
  get firstTime(): number {
    return this.#firstTime;
  }

  /** Where messages begin is not known. */
  get lost(): boolean {
    return this.#state !== FRAMING;
  }

  /** Start anew at the next byte: a place where a message is known to begin. */
  restart(): void {
    this.#reset();
    this.#state = FRAMING;
    this.#announced = false;
  }

  /** Frame nothing until `restart`. What is left of the portion in `data` is not looked at. */
  stop(): void {
    this.#state = STOPPED;
  }

  /** What follows is not a message: search for the beginning of the next one. May be called by `onMessage`. */
  seek(): void {
    this.#reset();
    this.#state = SEEKING;
    this.#announced = true;
  }

  /**
   * Take the next bytes.
   * @param now time of the packet they came in, ns
   * @param offset of bytes[start] in the stream
   * @param acknowledged what that packet acknowledges of the other direction, -1 if unknown
   * @param timeKnown `now` is the time of these bytes' own packet
   * @returns where framing stood when it ended: `end`, or earlier when it stopped
   */
  data(
    bytes: Uint8Array,
    start: number,
    end: number,
    now: number,
    offset = 0,
    acknowledged = -1,
    timeKnown = true,
  ): number {
    let at = start;
    this.#timeKnown = timeKnown;
    while (at < end && this.#state !== STOPPED) {
      const place = offset + at - start;
      if (this.#state === SEEKING) at = this.#seek(bytes, at, end, now, place, acknowledged);
      else at = this.#frame(bytes, at, end, now, place, acknowledged);
    }
    return at;
  }

  /** Bytes that were not captured. @param now time of the packet that follows them, ns */
  gap(length: number, now: number): void {
    if (this.#state === STOPPED || length <= 0) return;
    if (this.#state === SEEKING) {
      this.#filled = 0;
      return;
    }
    const { keep, holes = false, cut = false } = this.#framing;
    const within = this.#length > 0 && (holes || this.#filled >= keep) ? this.#length - this.#seen : 0;
    if (length > within) {
      if (cut && within > 0) {
        this.#whole = false;
        this.endSeen = false;
        this.#finish(now);
        // What took the message may have stopped it.
        if (this.#state === STOPPED) return;
      }
      this.#lose();
      return;
    }
    this.#seen += length;
    this.#missing += length;
    this.#whole = false;
    if (this.#seen < this.#length) return;
    this.endSeen = false;
    this.#finish(now);
  }

  /** No more bytes will come: a message under way of which the header came is handed over as far as it came. */
  end(): void {
    if (this.#state !== FRAMING || this.#length === 0) return;
    this.#whole = false;
    this.endSeen = false;
    this.#finish(this.#firstTime);
  }

  /** @returns where to go on: behind a message or what there is of one; where sync was lost */
  #frame(bytes: Uint8Array, start: number, end: number, now: number, offset: number, acknowledged: number): number {
    const { header, headerMaximum = header, keep } = this.#framing;
    let at = start;
    while (at < end && this.#state === FRAMING) {
      if (this.#seen === 0) {
        this.#firstTime = now;
        this.offset = offset + at - start;
        this.firstAcknowledged = acknowledged;
        this.lastAcknowledged = acknowledged;
        this.timed = this.#timeKnown;
        this.endSeen = true;
        // The usual case: the message lies whole in this portion.
        if (end - at >= header) {
          const length = this.#framing.lengthOf(bytes, at, end) ?? (end - at < headerMaximum ? undefined : 0);
          if (length !== undefined && !(length >= header)) {
            this.#refuse();
            return at;
          }
          if (length !== undefined && length <= end - at) {
            const from = at;
            const tail = length > keep + this.#tail ? from + length - this.#tail : -1;
            const kept = tail < 0 || this.#tail === 0 ? Math.min(length, keep + this.#tail) : keep;
            at += length;
            this.captured = length;
            this.#framing.onMessage(bytes, from, from + kept, length, now, now, true, this.#tail === 0 ? -1 : tail);
            continue;
          }
          this.#length = length ?? 0;
        }
      }
      const wanted = this.#length > 0 ? this.#length : this.#seen < header ? header : headerMaximum;
      const taken = Math.min(wanted - this.#seen, end - at);
      const isMeasured = this.#length > 0;
      const before = this.#seen;
      const filledBefore = this.#filled;
      if (this.#whole) this.#take(bytes, at, taken);
      this.#seen += taken;
      at += taken;
      if (!isMeasured && this.#seen >= header) {
        const seen = this.#seen;
        const length = this.#framing.lengthOf(this.#kept, 0, seen) ?? (seen < headerMaximum ? undefined : 0);
        if (length !== undefined && !(length >= header)) {
          const isFixed = header === headerMaximum;
          this.#arrive(before, now, acknowledged);
          const filled = isFixed ? this.#filled : filledBefore;
          this.#refuse();
          // These bytes may hold a beginning, behind the one that was looked at.
          if (this.#framing.seeking !== undefined) this.#filled = filled;
          return isFixed ? at : at - taken;
        }
        if (length !== undefined) {
          this.#length = length;
          // Of a header whose length varies bytes behind the message were taken, which came with this portion.
          at -= Math.max(0, seen - length);
          this.#seen = Math.min(seen, length);
          this.#filled = Math.min(this.#filled, length);
        }
      }
      if (!isMeasured) this.#arrive(before, now, acknowledged);
      if (this.#length > 0 && this.#seen === this.#length) {
        this.lastAcknowledged = acknowledged;
        this.timed &&= this.#timeKnown;
        this.#finish(now);
      }
    }
    return at;
  }

  /** Look for a beginning. @returns where to go on in this portion */
  #seek(bytes: Uint8Array, start: number, end: number, now: number, offset: number, acknowledged: number): number {
    const { seeking } = this.#framing;
    if (seeking === undefined) return end;
    const { least = seeking.bytes } = seeking;
    const held = this.#filled;
    if (held > 0) {
      this.#arrive(held, now, acknowledged);
      // Beginnings in what is held, which go on in this portion.
      const window = joinedBytes([
        this.#kept.subarray(0, held),
        bytes.subarray(start, Math.min(end, start + seeking.bytes - 1)),
      ]);
      for (let at = 0; at < held; at += 1) {
        const place = offset - held + at;
        const begins = at + least > window.length ? undefined : seeking.begins(window, at, window.length, place);
        if (begins === false || place === this.#refusedAt) continue;
        if (at > 0) this.#skipped(offset - held);
        if (begins === undefined) {
          this.#earlier = Math.max(0, this.#earlier - at);
          this.#hold(window, at, window.length);
          return end;
        }
        this.#found();
        const timeKnown = this.#timeKnown;
        const isEarlier = at < this.#earlier;
        const time = isEarlier ? this.#earlierTime : this.#heldTime;
        const received = isEarlier ? this.#earlierAcknowledged : this.#heldAcknowledged;
        const isTimed = !Number.isNaN(time);
        this.data(window, at, held, isTimed ? time : now, place, received, isTimed);
        this.#timeKnown = timeKnown;
        return start;
      }
      this.#skipped(offset - held);
      this.#filled = 0;
    }
    for (let at = start; at < end; at += 1) {
      const place = offset + at - start;
      const begins = at + least > end ? undefined : seeking.begins(bytes, at, end, place);
      if (begins === false || place === this.#refusedAt) continue;
      if (at > start) this.#skipped(offset);
      if (begins === undefined) {
        this.#arrive(0, now, acknowledged);
        this.#hold(bytes, at, end);
        return end;
      }
      this.#found();
      return at;
    }
    this.#skipped(offset);
    return end;
  }

  #skipped(offset: number): void {
    if (this.#announced) return;
    this.#announced = true;
    this.#framing.onSkipped?.(offset);
  }

  /** Bytes of a packet come behind so many that are kept of a header, or held. */
  #arrive(kept: number, now: number, acknowledged: number): void {
    const time = this.#timeKnown ? now : Number.NaN;
    if (kept === 0) this.#earlier = 0;
    else if (time !== this.#heldTime) {
      this.#earlierTime = this.#earlier === 0 ? this.#heldTime : Number.NaN;
      this.#earlierAcknowledged = this.#earlier === 0 ? this.#heldAcknowledged : -1;
      this.#earlier = kept;
    }
    this.#heldTime = time;
    this.#heldAcknowledged = acknowledged;
  }

  #hold(bytes: Uint8Array, start: number, end: number): void {
    this.#filled = 0;
    this.#keep(bytes, start, end - start);
  }

  #found(): void {
    this.#reset();
    this.#state = FRAMING;
    this.#announced = false;
  }

  #finish(now: number): void {
    const length = this.#length;
    const { keep } = this.#framing;
    const whole = this.#whole;
    this.captured = this.#seen - this.#missing;
    const long = length > keep + this.#tail;
    const filled = Math.min(this.#filled, long ? keep : keep + this.#tail);
    this.#reset();
    const kept = this.#kept;
    if (kept.length > KEPT_MAXIMUM) this.#kept = NOTHING;
    const tail = long && whole && this.#tail > 0 ? keep : -1;
    this.#framing.onMessage(kept, 0, filled, length, this.#firstTime, now, whole, tail);
  }

  /** The bytes at hand are no message. */
  #refuse(): void {
    const { offset } = this;
    this.#refusedAt = offset;
    this.#lose();
    this.#skipped(offset);
  }

  #lose(): void {
    const { seeking } = this.#framing;
    const under = this.#length > 0;
    this.#state = seeking === undefined ? STOPPED : SEEKING;
    if (seeking === undefined || under) this.#framing.onLost();
    this.#reset();
  }

  #reset(): void {
    this.#filled = 0;
    this.#seen = 0;
    this.#missing = 0;
    this.#length = 0;
    this.#whole = true;
  }

  /** Of the next bytes of a message, keep those of its head and of its end. */
  #take(bytes: Uint8Array, at: number, taken: number): void {
    const { header, headerMaximum = header, keep } = this.#framing;
    const room = keep + this.#tail;
    const head = this.#length > room ? keep : Math.max(room, headerMaximum);
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
