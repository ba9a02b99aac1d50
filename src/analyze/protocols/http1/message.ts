import { SIDE, type Side } from '../../record/event.ts';
import { AT, AT_CHUNKED, AT_UNTIL_END, Chunks } from './framing.ts';
import { HEAD, Head, headEnd } from './head.ts';
import { startLineLikeness } from './start-line.ts';

/** Octets of one head; nginx takes 32 KiB, Node 16. */
const HEAD_MAXIMUM = 64 * 1024;
const CR = 13;
const LF = 10;

/** Read into by every connection: what is kept of it is copied out at once. */
const head = new Head();

/** Takes one direction's messages. */
export interface MessageSink {
  /** A head has come whole. @returns the body's length, AT_CHUNKED or AT_UNTIL_END; -1 when it is not this side's */
  onHead(side: Side, head: Head, firstTime: number): number;
  readonly detail: boolean;
  readonly showSecrets: boolean;
  /** A message has ended. @returns false when no further message follows in this direction */
  onEnd(side: Side, octets: number, time: number, gap: boolean): boolean;
  /** Where messages begin is not known any more. */
  onLost(side: Side): void;
}

/** Cuts one direction into messages: heads are looked at, bodies only counted. */
export class MessageReader {
  /** One of AT. */
  at: number = AT.head;
  /** Octets of the message under way, and when the last of them came. */
  octets = 0;
  lastTime = 0;
  readonly #side: Side;
  readonly #sink: MessageSink;
  #chunks: Chunks | undefined;
  #left = 0;
  #chunked = false;
  #gap = false;
  #firstTime = 0;
  #kept: Uint8Array | undefined;
  #filled = 0;

  constructor(side: Side, sink: MessageSink) {
    this.#side = side;
    this.#sink = sink;
  }

  /** @returns where it stopped: `end`, or earlier when no further message follows */
  data(bytes: Uint8Array, start: number, end: number, now: number): number {
    let at = start;
    while (at < end) {
      if (this.at === AT.body && !this.#chunked) {
        const taken = this.#left < end - at ? this.#left : end - at;
        this.#left -= taken;
        this.octets += taken;
        this.lastTime = now;
        at += taken;
        if (this.#left === 0 && !this.#finish()) return at;
      } else if (this.at === AT.head) {
        at = this.#head(bytes, at, end, now);
        if (at < 0) return -at - 1;
      } else if (this.at === AT.untilEnd) {
        this.octets += end - at;
        this.lastTime = now;
        return end;
      } else if (this.at === AT.lost) {
        if (!this.#resume(bytes, at, end)) return end;
      } else {
        this.#chunks ??= new Chunks();
        const chunks = this.#chunks;
        const stopped = chunks.follow(bytes, at, end);
        if (stopped < 0) {
          this.#lose();
          continue;
        }
        this.octets += stopped - at;
        this.lastTime = now;
        at = stopped;
        if (chunks.ended && !this.#finish()) return at;
      }
    }
    return end;
  }

  /** Octets that were not captured. */
  gap(length: number, now: number): void {
    if (this.at === AT.untilEnd || (this.at === AT.body && !this.#chunked && length <= this.#left)) {
      this.#gap = true;
      this.octets += length;
      this.lastTime = now;
      if (this.at === AT.untilEnd) return;
      this.#left -= length;
      if (this.#left === 0) this.#finish();
      return;
    }
    const chunks = this.#chunks;
    if (this.at === AT.chunkSize && chunks?.at === AT.body && length < chunks.left) {
      this.#gap = true;
      this.octets += length;
      chunks.left -= length;
      return;
    }
    // A head that was cut still says what it began with.
    if (this.at === AT.head && this.#filled > 0 && this.#kept !== undefined) {
      const { octets } = this;
      const whole = this.#read(this.#kept, 0, this.#filled, true) >= 0;
      if (whole && this.#sink.onHead(this.#side, head, this.#firstTime) !== -1) {
        this.#gap = true;
        this.octets = octets + length;
        if (this.#side === SIDE.client) this.#finish();
      }
    }
    this.#lose();
  }

  /** @returns where it stopped, or -(that + 1) when nothing more is to be read */
  #head(bytes: Uint8Array, start: number, end: number, now: number): number {
    let at = start;
    if (this.#filled === 0) {
      // Empty lines before a message are to be ignored (RFC 9112, section 2.2).
      while (at < end && (bytes[at] === CR || bytes[at] === LF)) at += 1;
      if (at === end) return end;
      this.#firstTime = now;
      this.octets = 0;
      this.#gap = false;
      const stop = this.#read(bytes, at, end, false);
      if (stop >= 0) return this.#take(stop - at, stop, now);
      if (stop === HEAD.none) {
        this.#lose();
        return end;
      }
    }
    const before = this.#filled;
    this.#keep(bytes, at, end);
    const kept = this.#kept as Uint8Array;
    const stop = headEnd(kept, Math.max(0, before - 3), this.#filled);
    this.lastTime = now;
    if (stop < 0) {
      this.octets = this.#filled;
      const hopeless =
        this.#filled >= HEAD_MAXIMUM || (before < 16 && startLineLikeness(kept, 0, this.#filled) === 'no');
      if (hopeless) this.#lose();
      return end;
    }
    this.#filled = 0;
    if (this.#read(kept, 0, stop, false) !== stop) {
      this.#lose();
      return at + stop - before;
    }
    return this.#take(stop, at + stop - before, now);
  }

  #read(bytes: Uint8Array, start: number, end: number, cut: boolean): number {
    return head.read(bytes, start, end, this.#sink.detail, this.#sink.showSecrets, cut);
  }

  /** The head that was read. @param octets its length @param at where what follows it starts */
  #take(octets: number, at: number, now: number): number {
    const body = this.#sink.onHead(this.#side, head, this.#firstTime);
    this.octets = octets;
    this.lastTime = now;
    if (body === -1) {
      this.#lose();
      return at;
    }
    this.#chunked = body === AT_CHUNKED;
    if (body === AT_UNTIL_END) this.at = AT.untilEnd;
    else if (this.#chunked) {
      this.at = AT.chunkSize;
      this.#chunks ??= new Chunks();
      this.#chunks.begin();
      this.#chunks.ended = false;
    } else if (body > 0) {
      this.at = AT.body;
      this.#left = body;
    } else if (!this.#finish()) return -at - 1;
    return at;
  }

  #finish(): boolean {
    this.at = AT.head;
    if (this.#chunks !== undefined) this.#chunks.ended = false;
    return this.#sink.onEnd(this.#side, this.octets, this.lastTime, this.#gap);
  }

  #lose(): void {
    this.at = AT.lost;
    this.#filled = 0;
    this.#sink.onLost(this.#side);
  }

  /** A portion that begins like a message is taken for one. */
  #resume(bytes: Uint8Array, start: number, end: number): boolean {
    const wanted = this.#side === SIDE.client ? 'client' : 'server';
    if (startLineLikeness(bytes, start, end) !== wanted) return false;
    this.at = AT.head;
    return true;
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    const taken = end - start;
    const needed = this.#filled + taken;
    if (this.#kept === undefined || needed > this.#kept.length) {
      const larger = new Uint8Array(Math.max(1024, needed, (this.#kept?.length ?? 0) * 2));
      if (this.#kept !== undefined) larger.set(this.#kept.subarray(0, this.#filled));
      this.#kept = larger;
    }
    this.#kept.set(bytes.subarray(start, end), this.#filled);
    this.#filled += taken;
  }
}
