import { SIDE, type Side } from '../../record/event.ts';
import { AT, AT_CHUNKED, AT_UNTIL_END, type BodyTaker, Chunks } from './framing.ts';
import { HEAD, Head, headEnd } from './head.ts';
import { endOfLine, startLineLikeness } from './start-line.ts';

/** Bytes of one head; nginx takes 32 KiB, Node 16. */
const HEAD_MAXIMUM = 64 * 1024;
/** Bytes that show whether a message begins or not: its start line may be long. */
const UNDECIDED_MAXIMUM = 8 * 1024;
/** Bytes that are made room for at first: many connections keep a few bytes, and V8 has so small arrays in its own heap. */
const KEPT_MINIMUM = 64;
const CR = 13;
const LF = 10;

/** Read into by every connection: what is kept of it is copied out at once. */
const head = new Head();

/** Takes one direction's messages. */
export interface MessageSink {
  /** A head has come whole, or as far as it was captured. @returns the body's length, AT_CHUNKED or AT_UNTIL_END; -1 when it is not this side's */
  onHead(reader: MessageReader, head: Head): number;
  readonly detail: boolean;
  /** With `detail`: heads are kept as they came, and read when their fields are used. */
  readonly late: boolean;
  readonly showSecrets: boolean;
  /** Whether the bytes that are being passed on have their own packet's time. */
  readonly timeKnown: boolean;
  /** A message has ended. @returns false when no further message follows in this direction */
  onEnd(reader: MessageReader): boolean;
  /** What follows is not a head. @returns whether it is a body without one: HTTP/0.9's, to the connection's end */
  onBare(reader: MessageReader): boolean;
  /**
   * Where messages begin is not known any more.
   * @param why what is not understood; empty when bytes were not captured
   */
  onLost(reader: MessageReader, why: string): void;
  /** Bytes that were not captured, or not understood: any number of messages may begin and end in them. */
  onHole(reader: MessageReader, offset: number, length: number): void;
}

/** Of a reader that waits to be used again. */
const IDLE_SINK: MessageSink = {
  detail: false,
  late: false,
  showSecrets: false,
  timeKnown: true,
  onHead: () => -1,
  onEnd: () => false,
  onBare: () => false,
  onLost: () => undefined,
  onHole: () => undefined,
};

/** Readers that wait to be used again, and bytes that such a one may keep room for. */
const SPARE_READERS = 256;
const SPARE_KEPT_BYTES = 4096;
const spare: MessageReader[] = [];

/**
 * Cuts one direction into messages: heads are looked at, bodies only counted. Between two messages a direction needs none: of
 * many open connections most are idle.
 */
export class MessageReader {
  side: Side;
  /** One of AT. */
  at: number = AT.head;
  /** Bytes of the message under way that were captured, its head's among them, and when the last of them came. */
  bytes = 0;
  lastTime = 0;
  /** Of the message under way: when its first byte came, and where in the stream it lies; where its head ends. */
  firstTime = 0;
  start = 0;
  headEnd = 0;
  /** What the packet with its first byte acknowledges of the other side; -1 where that is not known. */
  acknowledged = -1;
  /** Bytes within the message were not captured; of those that are there, the last ones were. */
  gap = false;
  endSeen = true;
  /** Whether the times of all its bytes are known. */
  timeKnown = true;
  /** Set in `onHead`: the body that the head announces may not come, as with the answer to a HEAD. */
  mayLackBody = false;
  /** Set in `onHead`: takes the message's body. */
  body: BodyTaker | undefined;
  /** Where in the stream the reader stands. */
  position = 0;
  #sink: MessageSink;
  #chunks: Chunks | undefined;
  #left = 0;
  #chunked = false;
  #kept: Uint8Array | undefined;
  #filled = 0;
  /** Where the bytes start that are not understood; of `onLost`. */
  lostAt = 0;
  /** The head's first line is complete, or enough of it has arrived to recognise it. */
  #line = false;
  #sure = false;
  /** Messages are looked for behind something that was not understood or not captured. */
  #seeking = false;
  /** How the body would be read that may not come at all, one of AT; 0 when there is no doubt. */
  #doubtful = 0;
  /** When the last of the bytes came that are in doubt. */
  #doubtTime = 0;

  constructor(side: Side, sink: MessageSink) {
    this.side = side;
    this.#sink = sink;
  }

  /** A reader for one direction. @param position where in the stream its next byte lies */
  static at(side: Side, sink: MessageSink, position: number): MessageReader {
    const reader = spare.pop() ?? new MessageReader(side, sink);
    reader.side = side;
    reader.#sink = sink;
    reader.position = position;
    return reader;
  }

  /** It stands between two messages, and holds nothing but its position. */
  get isIdle(): boolean {
    return this.at === AT.head && this.#filled === 0 && !this.#seeking && this.#doubtful === 0;
  }

  /** Another direction may use it. To be called between two messages only. */
  free(): void {
    if (spare.length >= SPARE_READERS) return;
    this.body = undefined;
    this.#sink = IDLE_SINK;
    if (this.#chunks !== undefined) this.#chunks.body = undefined;
    if (this.#kept !== undefined && this.#kept.length > SPARE_KEPT_BYTES) this.#kept = undefined;
    spare.push(this);
  }

  /** A head has begun and not ended. */
  get inHead(): boolean {
    return this.at === AT.head && this.#filled > 0 && this.#doubtful === 0;
  }

  /**
   * The next bytes.
   * @param now their packet's time, ns @param position where in the stream bytes[start] lies
   * @param acknowledged what their packet acknowledges of the other side, -1 where not known
   * @returns where it stopped: `end`, or earlier when no further message follows
   */
  data(bytes: Uint8Array, start: number, end: number, now: number, position: number, acknowledged: number): number {
    this.position = position + end - start;
    if (!this.#sink.timeKnown) this.timeKnown = false;
    let at = start;
    while (at < end) {
      if (this.at === AT.body && !this.#chunked) {
        const taken = this.#left < end - at ? this.#left : end - at;
        this.body?.take(bytes, at, at + taken);
        this.#left -= taken;
        this.bytes += taken;
        this.lastTime = now;
        this.endSeen = true;
        at += taken;
        if (this.#left === 0 && !this.#finish()) return at;
      } else if (this.at === AT.head) {
        at = this.#head(bytes, at, end, now, position + at - start, acknowledged);
        if (at < 0) return -at - 1;
      } else if (this.at === AT.untilEnd) {
        this.body?.take(bytes, at, end);
        this.bytes += end - at;
        this.lastTime = now;
        this.endSeen = true;
        return end;
      } else if (this.at === AT.lost) {
        if (!this.#resume(bytes, at, end)) {
          this.#sink.onHole(this, position + at - start, end - at);
          return end;
        }
      } else {
        const chunks = this.#chunks as Chunks;
        chunks.body = this.body;
        const stopped = chunks.follow(bytes, at, end);
        if (stopped < 0) {
          this.#lose('no chunk size', position + at - start);
          continue;
        }
        this.bytes += stopped - at;
        this.lastTime = now;
        this.endSeen = true;
        at = stopped;
        if (chunks.ended && !this.#finish()) return at;
      }
    }
    return end;
  }

  /** Bytes that were not captured. */
  missing(length: number): void {
    if (this.#doubtful !== 0) this.#settle();
    const offset = this.position;
    this.position += length;
    if (this.at === AT.untilEnd || (this.at === AT.body && !this.#chunked)) {
      const within = this.at === AT.body ? Math.min(length, this.#left) : length;
      this.#miss();
      if (this.at === AT.untilEnd) return;
      this.#left -= within;
      if (this.#left === 0) this.#finish();
      if (within < length) this.#loseIn(offset + within, length - within);
      return;
    }
    const chunks = this.#chunks;
    if (this.at === AT.chunkSize && chunks?.at === AT.body && length < chunks.left) {
      this.#miss();
      chunks.left -= length;
      return;
    }
    // The beginning of a head that was cut is still known.
    if (this.inHead) this.#takeCutHead(length);
    else this.#loseIn(offset, length);
  }

  /**
   * The head under way will not be read further: its end did not come, or is too far away. What has come of it is a
   * message's, when it says enough. The next message is looked for.
   */
  giveUpHead(): void {
    this.#takeCutHead(0);
  }

  /** @param missing bytes that were not captured behind it */
  #takeCutHead(missing: number): void {
    const offset = this.start + this.#filled;
    const isClient = this.side === SIDE.client;
    const known = this.#sure && this.#read(this.#kept as Uint8Array, 0, this.#filled, true) >= 0;
    // A hole in a request is reported before the request, one in a response after the response.
    if (isClient && missing > 0) this.#sink.onHole(this, offset, missing);
    // It ends somewhere in the hole; an answer may come from there on.
    this.headEnd = offset + (missing > 0 ? 1 : 0);
    this.gap = missing > 0;
    const taken = known && this.#sink.onHead(this, head) !== -1;
    if (missing > 0) this.endSeen = false;
    if (taken && isClient) this.#sink.onEnd(this);
    this.#lose(missing > 0 || taken ? '' : 'no head', this.start);
    if (!isClient && missing > 0) this.#sink.onHole(this, offset, missing);
  }

  #miss(): void {
    this.body?.cut();
    this.gap = true;
    this.endSeen = false;
  }

  #loseIn(offset: number, length: number): void {
    this.#lose('', offset);
    this.#sink.onHole(this, offset, length);
  }

  /** The body under way may not come after all, as long as none of it has: a head in its place begins the next message. */
  doubtBody(): void {
    if (this.at === AT.head || this.at === AT.lost || !this.headOnly) return;
    this.#doubtful = this.at;
    this.at = AT.head;
  }

  /** A body was announced and none of it has come, and it may be that none will. */
  get inDoubt(): boolean {
    return this.#doubtful !== 0;
  }

  /** How many of the next bytes belong to a body that is only counted, captured or not. */
  get unread(): number {
    if (this.body !== undefined) return 0;
    if (this.at === AT.untilEnd) return Number.POSITIVE_INFINITY;
    return this.at === AT.body && !this.#chunked ? this.#left : 0;
  }

  /** Whether nothing has come of the message under way but its head. */
  get headOnly(): boolean {
    return !this.gap && this.bytes === this.headEnd - this.start;
  }

  /** @returns where it stopped, or -(that + 1) when nothing more is to be read */
  #head(bytes: Uint8Array, start: number, end: number, now: number, position: number, acknowledged: number): number {
    if (this.#doubtful !== 0) return this.#decide(bytes, start, end, now, position, acknowledged);
    let at = start;
    if (this.#filled === 0) {
      // Empty lines before a message are to be ignored (RFC 9112, section 2.2).
      while (at < end && (bytes[at] === CR || bytes[at] === LF)) at += 1;
      if (at === end) return end;
      this.firstTime = now;
      this.start = position + at - start;
      this.acknowledged = acknowledged;
      this.bytes = 0;
      this.gap = false;
      this.endSeen = true;
      this.timeKnown = this.#sink.timeKnown;
      const stop = this.#read(bytes, at, end, false);
      if (stop >= 0) return this.#take(stop - at, stop, now);
      if (stop === HEAD.none) return this.#noHead(end, now);
      this.#line = endOfLine(bytes, at, end) < end;
      this.#sure = false;
    }
    const before = this.#filled;
    this.#keep(bytes, at, end);
    const kept = this.#kept as Uint8Array;
    let stop = headEnd(kept, Math.max(0, before - 3), this.#filled);
    this.lastTime = now;
    this.bytes = this.#filled;
    if (stop < 0 && !this.#line && endOfLine(kept, before, this.#filled) < this.#filled) {
      this.#line = true;
      // The line may be all there is of it.
      const line = this.#read(kept, 0, this.#filled, false);
      if (line === HEAD.none) return this.#noHead(end, now);
      stop = line;
    }
    if (stop < 0) {
      if (!this.#sure && !this.#isHead(kept)) return this.#noHead(end, now);
      if (this.#filled >= HEAD_MAXIMUM) this.#takeCutHead(0);
      return end;
    }
    this.#filled = 0;
    if (this.#read(kept, 0, stop, false) !== stop) {
      this.#lose('no head', this.start);
      this.#sink.onHole(this, this.start, stop);
      return at + stop - before;
    }
    return this.#take(stop, at + stop - before, now);
  }

  /** Whether what is kept is a head's beginning, or may become one; sets whether that is sure. */
  #isHead(kept: Uint8Array): boolean {
    const likeness = startLineLikeness(kept, 0, this.#filled);
    this.#sure = likeness === (this.side === SIDE.client ? 'client' : 'server');
    return this.#sure || (likeness === 'more' && this.#filled < UNDECIDED_MAXIMUM);
  }

  /** What has come since the head may be its body or the next head. */
  #decide(bytes: Uint8Array, start: number, end: number, now: number, position: number, acknowledged: number): number {
    const before = this.#filled;
    this.#doubtTime = now;
    this.#keep(bytes, start, end);
    const kept = (this.#kept as Uint8Array).slice(0, this.#filled);
    const likeness = startLineLikeness(kept, 0, kept.length);
    if (likeness === 'more' && kept.length < UNDECIDED_MAXIMUM) return end;
    const isHead = likeness === (this.side === SIDE.client ? 'client' : 'server');
    this.at = isHead ? AT.head : this.#doubtful;
    this.#doubtful = 0;
    this.#filled = 0;
    if (isHead && !this.#finish()) return -start - 1;
    const stopped = this.data(kept, 0, kept.length, now, position - before, acknowledged);
    return stopped === kept.length ? end : -(start + Math.max(0, stopped - before)) - 1;
  }

  /** Nothing more comes, or a hole: what was in doubt is the body. */
  #settle(): void {
    const filled = this.#filled;
    this.at = this.#doubtful;
    this.#doubtful = 0;
    this.#filled = 0;
    if (filled === 0) return;
    const copy = (this.#kept as Uint8Array).slice(0, filled);
    this.data(copy, 0, filled, this.#doubtTime, this.position - filled, this.acknowledged);
  }

  #read(bytes: Uint8Array, start: number, end: number, cut: boolean): number {
    const { detail, late, showSecrets } = this.#sink;
    if (!late || !detail) return head.read(bytes, start, end, detail, showSecrets, cut);
    const stop = head.read(bytes, start, end, false, showSecrets, cut);
    if (stop < 0) return stop;
    if (cut || !head.keep(bytes, start, stop)) head.read(bytes, start, end, true, showSecrets, cut);
    return stop;
  }

  /** The head that was read. @param length its bytes @param at where what follows it starts */
  #take(length: number, at: number, now: number): number {
    this.bytes = length;
    this.headEnd = this.start + length;
    this.#seeking = false;
    this.lastTime = now;
    this.mayLackBody = false;
    this.body = undefined;
    const body = this.#sink.onHead(this, head);
    if (body === -1) {
      this.#lose(this.side === SIDE.client ? 'a response from the client' : 'a request from the server', this.start);
      this.#sink.onHole(this, this.start, length);
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
    if (this.mayLackBody) this.doubtBody();
    return at;
  }

  #finish(): boolean {
    this.at = AT.head;
    if (this.#chunks !== undefined) this.#chunks.ended = false;
    return this.#sink.onEnd(this);
  }

  /** What has come, to the end of what is at hand, does not begin a message. @returns where reading stopped */
  #noHead(end: number, now: number): number {
    this.lastTime = now;
    this.bytes = this.position - this.start;
    this.headEnd = this.start;
    if (!this.#seeking && this.#sink.onBare(this)) this.at = AT.untilEnd;
    else {
      const { start, bytes } = this;
      this.#lose(this.#seeking ? '' : 'no start line', start);
      this.#sink.onHole(this, start, bytes);
    }
    this.#filled = 0;
    return end;
  }

  /** @param why as `onLost` has it @param at where in the stream */
  #lose(why: string, at: number): void {
    this.lostAt = at;
    this.#seeking = true;
    this.at = AT.lost;
    this.#filled = 0;
    this.#doubtful = 0;
    this.#sink.onLost(this, why);
  }

  /** A portion that begins like a message is taken for one; what may become a message's beginning is looked at. */
  #resume(bytes: Uint8Array, start: number, end: number): boolean {
    const wanted = this.side === SIDE.client ? 'client' : 'server';
    const likeness = startLineLikeness(bytes, start, end);
    if (likeness !== wanted && likeness !== 'more') return false;
    this.at = AT.head;
    return true;
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    const taken = end - start;
    const needed = this.#filled + taken;
    if (this.#kept === undefined || needed > this.#kept.length) {
      const larger = new Uint8Array(Math.max(KEPT_MINIMUM, needed, (this.#kept?.length ?? 0) * 2));
      if (this.#kept !== undefined) larger.set(this.#kept.subarray(0, this.#filled));
      this.#kept = larger;
    }
    this.#kept.set(bytes.subarray(start, end), this.#filled);
    this.#filled += taken;
  }
}
