import { i32, u8 } from '../../bytes.ts';
import { PENDING_PER_STREAM } from '../../limits.ts';
import { type Incomplete, SIDE, type Side } from '../../record/event.ts';
import { maskText } from '../../record/secrets.ts';
import { latin1 } from '../../record/text.ts';
import { oneLine } from '../one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { protocolLost } from '../protocol-lost.ts';
import { BLOCK, Http2Direction, type Http2DirectionSink } from './direction.ts';
import { errorName } from './errors.ts';
import { FLAG, FRAME, FRAME_HEADER } from './frame-reader.ts';
import { frameAt, type Streams } from './frame-search.ts';
import { PREFACE, prefaceAt } from './preface.ts';
import { Http2Stream, type UpgradedRequest } from './stream.ts';
import { StreamLimit } from './stream-limit.ts';

/** What a stream takes, about, besides the texts of its fields. */
const STREAM_BYTES = 1024;

/** One HTTP/2 connection (RFC 9113): its streams are exchanges. */
export class Http2Connection implements StreamAnalyzer, Streams, Http2DirectionSink {
  readonly #context: StreamContext;
  readonly #directions: readonly [Http2Direction, Http2Direction];
  readonly #streams = new Map<number, Http2Stream>();
  readonly #limit = new StreamLimit();
  /** The connection's beginning was not seen. */
  #midstream: boolean;
  /** Of the bytes being handed on: the stream's offset of index 0, and the index from which frames are read. */
  #origin = 0;
  #at = 0;
  /** Whether each side has sent something. */
  readonly #begun: [boolean, boolean] = [false, false];
  #highest = 0;
  /** The client's last request: its streams are numbered upwards. */
  #lastRequest = 0;
  /** Streams answered before their request was read, which waits behind what was not captured. */
  #early = 0;

  /** @param upgraded the request that the connection was upgraded with: it is answered on stream 1 */
  constructor(context: StreamContext, upgraded?: UpgradedRequest) {
    this.#context = context;
    this.#midstream = upgraded === undefined && context.midstream;
    this.#directions = [new Http2Direction(SIDE.client, this), new Http2Direction(SIDE.server, this)];
    if (upgraded === undefined) return;
    const stream = new Http2Stream(context.detail, context.showSecrets);
    stream.request.takeUpgraded(upgraded);
    this.#streams.set(1, stream);
    this.#lastRequest = 1;
    this.#highest = 1;
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    const direction = this.#directions[side];
    let at = start;
    if (!this.#begun[side]) {
      this.#begun[side] = true;
      if (side === SIDE.client && u8(bytes, at) === PREFACE.charCodeAt(0)) direction.preface = PREFACE.length;
      // A connection under way: its tables hold what came before.
      else if (this.#midstream) {
        direction.hpack.forget();
        // What was missing ahead of its first bytes may have held something of streams that began since.
        if (direction.reader.lost) this.#miss(direction);
        // Nothing proves that its first bytes begin a frame.
        direction.reader.lost = frameAt(bytes, at, end, this) !== at;
      }
    }
    this.#origin = this.#context.offset - start;
    const { reader } = direction;
    if (direction.preface > 0 && !reader.lost) {
      const preface = Math.min(direction.preface, end - at);
      if (!prefaceAt(bytes, at, at + preface, PREFACE.length - direction.preface)) {
        this.#lose(direction, 'no preface');
      } else {
        direction.preface -= preface;
        at += preface;
        // With the client's preface both sides' tables begin.
        if (direction.preface === 0) this.#midstream = false;
      }
    }
    while (at < end) {
      if (reader.lost) {
        const next = frameAt(bytes, at, end, this);
        // What was missing, or is passed over, may have held something of streams that began since.
        this.#miss(direction);
        if (next < 0) return;
        at = next;
        reader.restart();
      }
      this.#at = at;
      at = reader.data(bytes, at, end, this.#context);
    }
  }

  gap(side: Side, length: number): void {
    const direction = this.#directions[side];
    if (direction.preface === 0) {
      direction.reader.gap(length);
      return;
    }
    direction.preface = 0;
    this.#lose(direction, '');
  }

  end(how: StreamEnd, by?: Side): void {
    const finished = how === 'closed' || this.#context.finSeen(SIDE.server);
    const closer = by ?? (finished ? SIDE.server : undefined);
    for (const [id, stream] of this.#streams) {
      const { response } = stream;
      if (response.ended) {
        this.#finish(id, stream);
        continue;
      }
      let incomplete: Incomplete;
      if (response.gap || stream.unheard || this.#directions[SIDE.server].reader.lost)
        incomplete = 'response not captured';
      else if (finished) incomplete = response.begun ? 'closed early' : 'no response';
      else if (how === 'reset' || how === 'capture ended') incomplete = how;
      else incomplete = 'unknown';
      const isEnding = incomplete === 'closed early' || incomplete === 'no response' || incomplete === 'reset';
      this.#emit(id, stream, incomplete, isEnding ? closer : undefined);
    }
  }

  onData(
    direction: Http2Direction,
    id: number,
    flags: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
    length: number,
  ): void {
    const stream = this.#streams.get(id);
    const last = offset + (end - start) === length;
    if (stream !== undefined) {
      const half = direction.side === SIDE.client ? stream.request : stream.response;
      if (!half.begun) {
        // DATA comes behind a head: that was not captured.
        half.startSeen = false;
        half.gap = true;
      }
      half.seen(this.#context, end - start + (offset === 0 ? FRAME_HEADER : 0), direction.reader);
      let from = start;
      let to = end;
      if (flags & FLAG.padded) {
        if (offset === 0 && from < end) {
          direction.padding = u8(bytes, from);
          from += 1;
        }
        // The padding lies at the frame's end.
        to = Math.min(to, start + Math.max(0, length - direction.padding - offset));
      }
      if (to > from) {
        if (stream.isGrpc) half.messages.data(bytes, from, to);
        else if (this.#context.detail) half.data(bytes, from, to, this.#context.bodies);
      }
      if (last && flags & FLAG.endStream) this.#ended(direction, id, stream);
    }
  }

  onDataGap(direction: Http2Direction, id: number, flags: number, gap: number, last: boolean): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    const half = direction.side === SIDE.client ? stream.request : stream.response;
    half.missed();
    half.messages.gap(gap);
    if (last && flags & FLAG.endStream) this.#ended(direction, id, stream);
  }

  onFrame(
    direction: Http2Direction,
    type: number,
    flags: number,
    id: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    switch (type) {
      case FRAME.headers: {
        const padding = flags & FLAG.padded ? u8(bytes, start) + 1 : 0;
        const from = start + (flags & FLAG.padded ? 1 : 0) + (flags & FLAG.priority ? 5 : 0);
        const to = end - (padding > 0 ? padding - 1 : 0);
        if (from > to) this.#lose(direction, 'padding longer than its frame');
        else this.#block(direction, id, flags, bytes, from, to, end - start, true);
        return;
      }
      case FRAME.continuation:
        if (id === direction.blockStream) this.#block(direction, id, flags, bytes, start, end, end - start, false);
        return;
      case FRAME.pushPromise: {
        const padding = flags & FLAG.padded ? u8(bytes, start) + 1 : 0;
        const from = start + (padding > 0 ? 1 : 0);
        const to = end - Math.max(0, padding - 1);
        if (from + 4 > to) this.#lose(direction, 'padding longer than its frame');
        else this.#promise(direction, i32(bytes, from) & 0x7fff_ffff, flags, bytes, from + 4, to, end - start, id);
        return;
      }
      case FRAME.reset:
        if (end - start === 4) this.#reset(direction, id, i32(bytes, start));
        return;
      case FRAME.settings:
        if (direction.side === SIDE.server) this.#limit.settings(bytes, start, end);
        return;
      case FRAME.goAway:
        if (end - start >= 8) this.#goAway(direction, bytes, start, end);
        return;
      default:
    }
  }

  onFrameGap(direction: Http2Direction, type: number, flags: number, id: number): void {
    if (type !== FRAME.headers && type !== FRAME.continuation && type !== FRAME.pushPromise) return;
    direction.dropBlock();
    direction.promised = 0;
    direction.hpack.forget();
    if (type !== FRAME.headers) return;
    const stream = this.#stream(direction.side, id);
    if (stream === undefined) return;
    const half = direction.side === SIDE.client ? stream.request : stream.response;
    half.seen(this.#context, FRAME_HEADER, direction.reader);
    half.gap = true;
    half.endSeen = false;
    half.begun = true;
    if (flags & FLAG.endStream) this.#ended(direction, id, stream);
  }

  onLost(direction: Http2Direction, why: string): void {
    // What is missing may have held something of every stream under way; what is in the table counts no more.
    direction.dropBlock();
    direction.promised = 0;
    direction.hpack.forget();
    this.#miss(direction);
    if (why !== '' && !direction.reported) {
      direction.reported = true;
      const { side } = direction;
      const position = this.#origin + this.#at;
      const next = 'resumes at the next certain frame';
      const { now: time } = this.#context;
      this.#context.emit(protocolLost({ protocol: 'http', title: 'HTTP/2', side, position, time, why, next }));
    }
  }

  /** Bytes of a direction are not read that may have been of any stream under way. */
  #miss({ side }: Http2Direction): void {
    const isClient = side === SIDE.client;
    for (const stream of this.#streams.values()) {
      const half = isClient ? stream.request : stream.response;
      if (half.begun && !half.ended) half.gap = true;
      else if (!isClient) stream.unheard = true;
    }
  }

  /** Whether a stream is under way. */
  has(stream: number): boolean {
    return this.#streams.has(stream);
  }

  /** The highest stream so far. */
  get highest(): number {
    return this.#highest;
  }

  #lose(direction: Http2Direction, why: string): void {
    direction.reader.lost = true;
    this.onLost(direction, why);
  }

  #block(
    direction: Http2Direction,
    id: number,
    flags: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    length: number,
    first: boolean,
  ): void {
    const stream = this.#stream(direction.side, id);
    const half = direction.side === SIDE.client ? stream?.request : stream?.response;
    half?.seen(this.#context, length + FRAME_HEADER, direction.reader);
    if (first) direction.promised = 0;
    const whole = this.#gather(direction, id, flags, bytes, start, end, first);
    if (whole === undefined) return;
    const promised = direction.promised > 0 ? this.#streams.get(direction.promised)?.request : undefined;
    const taker = direction.promised > 0 ? promised : half;
    if (!direction.hpack.decode(whole, 0, whole.length, (name, value) => taker?.field(name, value))) {
      this.#lose(direction, 'a header block with an index of nothing');
      return;
    }
    if (direction.promised > 0) {
      if (promised !== undefined) promised.begun = true;
      if (promised !== undefined) promised.ended = true;
      const pushed = this.#streams.get(direction.promised);
      if (pushed !== undefined) this.#count(pushed);
      direction.promised = 0;
      return;
    }
    if (stream === undefined || half === undefined) return;
    this.#count(stream);
    if (direction.side === SIDE.server && /^1\d\d$/.test(half.status)) {
      half.informational();
      return;
    }
    // Trailers come behind a head: without one that was not captured. Fields that are not known may be trailers too.
    const maybeTrailers = stream.unheard && direction.side === SIDE.server && half.status === '';
    if (!half.begun && (maybeTrailers || !half.isHead)) {
      half.gap = true;
      half.startSeen = false;
    }
    half.begun = true;
    if (direction.blockFlags & FLAG.endStream) this.#ended(direction, id, stream);
  }

  /** The whole header block, once its last frame is there. */
  #gather(
    direction: Http2Direction,
    id: number,
    flags: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    first: boolean,
  ): Uint8Array | undefined {
    const whole = direction.gather(id, flags, bytes, start, end, first);
    if (whole === BLOCK.more) return undefined;
    if (whole !== BLOCK.tooLong) return whole;
    this.#lose(direction, 'a header block too long');
    return undefined;
  }

  /** A request that the server answers before the client sent it (RFC 9113, section 8.4). */
  #promise(
    direction: Http2Direction,
    promised: number,
    flags: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    length: number,
    id: number,
  ): void {
    if (direction.side === SIDE.server && promised % 2 === 0 && promised > 0 && !this.#streams.has(promised)) {
      this.#makeRoom();
      const stream = new Http2Stream(this.#context.detail, this.#context.showSecrets);
      stream.pushed = true;
      stream.request.seen(this.#context, length + FRAME_HEADER, direction.reader);
      this.#streams.set(promised, stream);
    }
    const whole = this.#gather(direction, id, flags, bytes, start, end, true);
    direction.promised = promised;
    if (whole === undefined) return;
    const request = this.#streams.get(promised)?.request;
    direction.promised = 0;
    if (!direction.hpack.decode(whole, 0, whole.length, (name, value) => request?.field(name, value))) {
      this.#lose(direction, 'a header block with an index of nothing');
    }
    if (request === undefined) return;
    request.begun = true;
    request.ended = true;
  }

  /** The stream of a header block; a client's opens it, and so does a response whose request was not seen. */
  #stream(side: Side, id: number): Http2Stream | undefined {
    let stream = this.#streams.get(id);
    // A push, or a frame for a stream that has ended.
    if (id % 2 === 0 || (stream === undefined && id <= this.#lastRequest)) return stream;
    if (side === SIDE.client && id > this.#lastRequest) {
      this.#lastRequest = id;
      if (this.#early > 0) this.#tellEarly(id);
    }
    if (stream !== undefined) return stream;
    if (side === SIDE.client) this.#opens();
    this.#makeRoom();
    stream = new Http2Stream(this.#context.detail, this.#context.showSecrets);
    this.#streams.set(id, stream);
    this.#highest = Math.max(this.#highest, id);
    return stream;
  }

  #makeRoom(): void {
    if (this.#streams.size >= PENDING_PER_STREAM) this.#dropOldest();
  }

  /** The fields of a stream have come: what it takes, unless it waits behind none, counts among what is pending. */
  #count(stream: Http2Stream): void {
    const [oldest] = this.#streams.values();
    if (oldest === stream) return;
    const bytes = STREAM_BYTES + stream.request.kept + stream.response.kept;
    const more = bytes - stream.counted;
    stream.counted = bytes;
    if (this.#context.countPending?.(more) === false) this.#dropOldest();
  }

  #dropOldest(): void {
    const [oldest] = this.#streams;
    if (oldest?.[1].response.ended) this.#finish(...oldest);
    else if (oldest !== undefined) this.#emit(...oldest, 'unknown');
  }

  #ended(direction: Http2Direction, id: number, stream: Http2Stream): void {
    if (direction.side === SIDE.client) {
      stream.request.ended = true;
      if (stream.response.ended) this.#finish(id, stream);
      return;
    }
    stream.response.ended = true;
    // Its request may be at hand, and only not be read yet.
    const waits =
      !stream.pushed &&
      id > this.#lastRequest &&
      this.#begun[SIDE.client] &&
      !this.#directions[SIDE.client].reader.lost;
    if (!waits) this.#finish(id, stream);
    else this.#early += 1;
  }

  /** Requests come in order: what was answered and is numbered below has none that was captured. */
  #tellEarly(before: number): void {
    this.#early = 0;
    for (const [id, stream] of this.#streams) {
      if (!stream.response.ended) continue;
      if (id > before) this.#early += 1;
      else if (id < before) this.#finish(id, stream);
    }
  }

  #finish(id: number, stream: Http2Stream): void {
    // Its end without its beginning: that was not captured.
    const { response } = stream;
    this.#emit(id, stream, response.begun && !response.gap ? undefined : 'response not captured');
  }

  #reset(direction: Http2Direction, id: number, code: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (direction.side === SIDE.server) stream.response.seen(this.#context, FRAME_HEADER + 4, direction.reader);
    stream.reset = errorName(code);
    stream.resetTime = this.#context.timeKnown ? this.#context.now : undefined;
    this.#emit(id, stream, 'reset', direction.side);
  }

  /** The client opens a stream: requests that wait for the server's limit are reported. */
  #opens(): void {
    const { now } = this.#context;
    const event = this.#limit.opened(this.#streams.size + 1, now);
    if (event !== undefined) this.#context.emit(event);
  }

  #goAway(direction: Http2Direction, bytes: Uint8Array, start: number, end: number): void {
    const code = i32(bytes, start + 4);
    if (code === 0) return;
    const debug = latin1(bytes, start + 8, Math.min(end, start + 8 + 200));
    const words = this.#context.showSecrets ? debug : maskText(debug);
    const label = oneLine(words === '' ? `GOAWAY ${errorName(code)}` : `GOAWAY ${errorName(code)}: ${words}`);
    const { now } = this.#context;
    const base = { kind: 'event', protocol: 'http', code: 'HTTP2_GOAWAY', time: now, from: direction.side } as const;
    this.#context.emit({ ...base, label, failed: true, fields: { http: { version: '2' } } });
  }

  #emit(id: number, stream: Http2Stream, incomplete: Incomplete | undefined, endedBy?: Side): void {
    this.#streams.delete(id);
    if (stream.counted > 0) this.#context.countPending?.(-stream.counted);
    this.#limit.ended(this.#context.now);
    this.#context.emit(stream.exchange(this.#context, incomplete, endedBy));
  }
}
