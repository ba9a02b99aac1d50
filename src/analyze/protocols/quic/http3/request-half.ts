import { SIDE, type Side } from '../../../record/event.ts';
import type { Bodies } from '../../http1/message-body.ts';
import type { Half, Http2Stream } from '../../http2/stream.ts';
import { type ArrivalTime, type ByteSink, ReceivedStream, type Reserve } from '../received-stream.ts';
import { type FrameSink, Http3FrameReader } from './frame-reader.ts';
import type { QpackDecoder } from './qpack.ts';

/** Bytes of one direction that wait for entries of QPACK's table, and what a piece takes besides its bytes. */
const BLOCKED_BYTES = 64 * 1024;
const PIECE_BYTES = 128;

/** What one direction of a request's stream needs. */
export interface HalfContext {
  readonly detail: boolean;
  readonly bodies: Bodies | undefined;
  /** Of this direction. */
  readonly qpack: QpackDecoder;
  readonly reserve: Reserve;
  /** The direction has ended. */
  readonly onEnded: () => void;
}

/** One direction of a request's stream: from bytes in their order to what an exchange shows. */
export class RequestHalf implements ByteSink, FrameSink {
  readonly received: ReceivedStream;
  /** Since when a field section waits for QPACK's instructions, ns; undefined while none does. */
  blockedSince: number | undefined;
  readonly #context: HalfContext;
  readonly #side: Side;
  readonly #exchange: Http2Stream;
  readonly #half: Half;
  readonly #frames: Http3FrameReader;
  #section: Uint8Array | undefined;
  /** What came behind that section; a number for so many missing bytes. */
  #queue: (Uint8Array | number)[] = [];
  #queued = 0;
  #finSeen = false;
  #force = false;
  #now = 0;
  #clock: number | undefined;

  constructor(context: HalfContext, side: Side, exchange: Http2Stream) {
    this.#context = context;
    this.#side = side;
    this.#exchange = exchange;
    this.#half = side === SIDE.client ? exchange.request : exchange.response;
    this.#frames = new Http3FrameReader(this, context.reserve);
    this.received = new ReceivedStream(this, context.reserve);
  }

  /** Number of the clock that its times are of. */
  get clock(): number | undefined {
    return this.#clock;
  }

  onBytes(bytes: Uint8Array, start: number, end: number, { now, clock }: ArrivalTime): void {
    this.#now = now;
    this.#clock ??= clock;
    this.#half.seen({ now, timeKnown: this.#clock === clock }, end - start);
    if (this.#section === undefined) this.#read(bytes, start, end);
    else this.#enqueue(bytes.slice(start, end));
  }

  onHole(length: number): void {
    this.#half.missed();
    if (this.#section === undefined) this.#frames.hole(length);
    else this.#enqueue(length);
  }

  onFin(): void {
    this.#finSeen = true;
    if (this.#section === undefined) this.#end();
  }

  onData(bytes: Uint8Array, start: number, end: number): void {
    const half = this.#half;
    if (!half.begun) {
      // DATA comes behind a head: that was not captured.
      half.startSeen = false;
      half.gap = true;
    }
    if (this.#exchange.isGrpc) half.messages.data(bytes, start, end);
    else if (this.#context.detail) half.data(bytes, start, end, this.#context.bodies);
  }

  onDataHole(length: number): void {
    this.#half.messages.gap(length);
  }

  onSection(section: Uint8Array): boolean {
    const half = this.#half;
    const result = this.#context.qpack.section(section, (name, value) => half.field(name, value), this.#force);
    if (result === 'blocked') {
      if (!this.#context.reserve(section.length)) {
        this.#force = true;
        return this.onSection(section);
      }
      this.#section = section;
      this.#queued = section.length;
      this.blockedSince = this.#now;
      return false;
    }
    if (result === 'invalid') {
      this.#frames.stop();
      this.onLost();
      half.begun = true;
      return true;
    }
    if (this.#side === SIDE.server && /^1\d\d$/.test(half.status)) {
      half.informational();
      return true;
    }
    // Trailers come behind a head: without one that was not captured.
    if (!half.begun && !half.isHead) {
      half.gap = true;
      half.startSeen = false;
    }
    half.begun = true;
    return true;
  }

  onSectionHole(): void {
    const half = this.#half;
    half.gap = true;
    half.begun = true;
  }

  onLost(): void {
    const half = this.#half;
    half.gap = true;
    if (!half.begun) half.startSeen = false;
  }

  /** More of QPACK's instructions have come. @param force read what waits all the same: they will not come */
  retry(force: boolean): void {
    const section = this.#section;
    if (section === undefined) return;
    const queue = this.#queue;
    const queued = this.#queued;
    const { blockedSince } = this;
    this.#forget();
    this.#force = force;
    this.#frames.paused = false;
    if (!this.onSection(section)) {
      this.#frames.paused = true;
      this.#queue = queue;
      if (this.#context.reserve(queued - section.length)) this.#queued = queued;
      this.blockedSince = blockedSince;
      return;
    }
    for (const piece of queue) {
      if (this.#section !== undefined) this.#enqueue(piece);
      else if (typeof piece === 'number') this.#frames.hole(piece);
      else this.#read(piece, 0, piece.length);
    }
    this.#force = false;
    if (this.#finSeen && this.#section === undefined) this.#end();
  }

  /** Nothing more is wanted: what it holds is released. */
  stop(): void {
    this.#forget();
    this.#frames.stop();
    this.received.stop();
  }

  #read(bytes: Uint8Array, start: number, end: number): void {
    const at = this.#frames.data(bytes, start, end);
    if (at < end) this.#enqueue(bytes.slice(at, end));
  }

  #enqueue(piece: Uint8Array | number): void {
    const size = PIECE_BYTES + (typeof piece === 'number' ? 0 : piece.length);
    if (this.#queued + size <= BLOCKED_BYTES && this.#context.reserve(size)) {
      this.#queue.push(piece);
      this.#queued += size;
      return;
    }
    this.#queue.push(piece);
    this.retry(true);
  }

  #forget(): void {
    this.#context.reserve(-this.#queued);
    this.#queued = 0;
    this.#queue = [];
    this.#section = undefined;
    this.blockedSince = undefined;
  }

  #end(): void {
    // A frame that is not whole at the end: bytes that make no sense.
    if (!this.#frames.isBetweenFrames) this.#half.gap = true;
    this.#half.ended = true;
    this.#context.onEnded();
  }
}
