import { i32, u8 } from '../../bytes.ts';
import { PENDING_PER_STREAM } from '../../limits.ts';
import { type Incomplete, SIDE, type Side } from '../../record/event.ts';
import { maskText } from '../../record/secrets.ts';
import { latin1 } from '../../record/text.ts';
import { oneLine } from '../one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { BLOCK, Direction, type DirectionSink } from './direction.ts';
import { errorName } from './errors.ts';
import { FLAG, FRAME, FRAME_HEADER } from './frame-reader.ts';
import { frameAt, type Streams } from './frame-search.ts';
import { PREFACE, prefaceAt } from './preface.ts';
import { type Half, Http2Stream, type UpgradedRequest } from './stream.ts';

/** One HTTP/2 connection (RFC 9113): its streams are exchanges. */
export class Http2Connection implements StreamAnalyzer, Streams, DirectionSink {
  readonly #context: StreamContext;
  readonly #directions: readonly [Direction, Direction];
  readonly #streams = new Map<number, Http2Stream>();
  /** Whether each side has said something. */
  readonly #begun: [boolean, boolean] = [false, false];
  #highest = 0;
  /** The client's last request: its streams are numbered upwards. */
  #asked = 0;
  /** Streams answered before their request was read, which waits behind what was not captured. */
  #early = 0;

  /** @param upgraded the request that the connection was upgraded with: it is answered on stream 1 */
  constructor(context: StreamContext, upgraded?: UpgradedRequest) {
    this.#context = context;
    this.#directions = [new Direction(SIDE.client, this), new Direction(SIDE.server, this)];
    if (upgraded === undefined) return;
    const stream = new Http2Stream(context.detail, context.showSecrets);
    stream.request.takeUpgraded(upgraded);
    this.#streams.set(1, stream);
    this.#asked = 1;
    this.#highest = 1;
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    const direction = this.#directions[side];
    let at = start;
    if (!this.#begun[side]) {
      this.#begun[side] = true;
      if (side === SIDE.client && u8(bytes, at) === PREFACE.charCodeAt(0)) direction.preface = PREFACE.length;
      // A connection under way: its tables hold what was said before.
      else if (end - at > 3 && u8(bytes, at + 3) !== FRAME.settings) direction.hpack.forget();
    }
    if (direction.reader.lost) {
      at = this.#resume(direction, bytes, at, end);
      if (at < 0) return;
    }
    const skipped = Math.min(direction.preface, end - at);
    if (skipped > 0 && !prefaceAt(bytes, at, at + skipped, PREFACE.length - direction.preface))
      direction.reader.lost = true;
    direction.preface -= skipped;
    at += skipped;
    direction.reader.data(bytes, at, end);
  }

  gap(side: Side, length: number): void {
    const direction = this.#directions[side];
    if (direction.preface > 0) direction.reader.lost = true;
    else direction.reader.gap(length);
  }

  end(how: StreamEnd): void {
    for (const [id, stream] of this.#streams) {
      if (stream.response.ended) {
        this.#finish(id, stream);
        continue;
      }
      const answered = stream.response.begun;
      this.#tell(
        id,
        stream,
        how === 'reset' ? 'reset' : answered || stream.unheard ? 'response not captured' : 'no response',
      );
    }
  }

  onData(
    direction: Direction,
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
      half.seen(this.#context.now, end - start + (offset === 0 ? FRAME_HEADER : 0));
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
      if (stream.isGrpc && to > from) half.messages.data(bytes, from, to);
      if (last && flags & FLAG.endStream) this.#ended(direction, id, stream);
    }
  }

  onDataGap(direction: Direction, id: number, flags: number, gap: number, last: boolean): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    const half = direction.side === SIDE.client ? stream.request : stream.response;
    half.seen(this.#context.now, gap);
    half.messages.gap(gap);
    stream.gap = true;
    if (last && flags & FLAG.endStream) this.#ended(direction, id, stream);
  }

  onFrame(
    direction: Direction,
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
        if (from > to) this.#lose(direction);
        else this.#block(direction, id, flags, bytes, from, to, end - start, true);
        return;
      }
      case FRAME.continuation:
        if (id === direction.blockStream) this.#block(direction, id, flags, bytes, start, end, end - start, false);
        return;
      case FRAME.pushPromise: {
        // The pushed request goes through the header table like any other; it is nobody's exchange.
        const padding = flags & FLAG.padded ? u8(bytes, start) + 1 : 0;
        const from = start + (padding > 0 ? 1 : 0) + 4;
        if (flags & FLAG.endHeaders && from <= end)
          direction.hpack.decode(bytes, from, end - Math.max(0, padding - 1), () => {});
        else direction.hpack.forget();
        return;
      }
      case FRAME.reset:
        if (end - start === 4) this.#reset(direction, id, i32(bytes, start));
        return;
      case FRAME.goAway:
        if (end - start >= 8) this.#goAway(direction, bytes, start, end);
        return;
      default:
    }
  }

  onLost(direction: Direction): void {
    // What is missing may have held something of every stream under way; what was said before in the table counts no more.
    direction.dropBlock();
    direction.hpack.forget();
    for (const stream of this.#streams.values()) {
      if (direction.side === SIDE.client ? isUnderWay(stream.request) : isUnderWay(stream.response)) stream.gap = true;
      else if (direction.side === SIDE.server) stream.unheard = true;
    }
  }

  /** Where frames of a direction go on that was lost; -1 when that is not known yet. */
  #resume(direction: Direction, bytes: Uint8Array, start: number, end: number): number {
    const at = frameAt(bytes, start, end, this);
    if (at >= 0) direction.reader.restart();
    return at;
  }

  /** Whether a stream is under way. */
  has(stream: number): boolean {
    return this.#streams.has(stream);
  }

  /** The highest stream so far. */
  get highest(): number {
    return this.#highest;
  }

  #lose(direction: Direction): void {
    direction.reader.lost = true;
    this.onLost(direction);
  }

  #block(
    direction: Direction,
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
    half?.seen(this.#context.now, length + FRAME_HEADER);
    const whole = direction.gather(id, flags, bytes, start, end, first);
    if (whole === BLOCK.more) return;
    if (whole === BLOCK.tooLong) {
      this.#lose(direction);
      return;
    }
    const decoded = direction.hpack.decode(whole, 0, whole.length, (name, value) => half?.field(name, value));
    if (!decoded) {
      this.#lose(direction);
      return;
    }
    if (stream === undefined || half === undefined) return;
    if (direction.side === SIDE.server && /^1\d\d$/.test(half.status)) {
      half.informational();
      return;
    }
    half.begun = true;
    if (direction.blockFlags & FLAG.endStream) this.#ended(direction, id, stream);
  }

  /** The stream of a header block; a client's opens it, and so does a response whose request was not seen. */
  #stream(side: Side, id: number): Http2Stream | undefined {
    let stream = this.#streams.get(id);
    // A push; what is said of a stream that has ended.
    if (id % 2 === 0 || (stream === undefined && id <= this.#asked)) return stream;
    if (side === SIDE.client && id > this.#asked) {
      this.#asked = id;
      if (this.#early > 0) this.#tellEarly(id);
    }
    if (stream !== undefined) return stream;
    if (this.#streams.size >= PENDING_PER_STREAM) {
      const [oldest] = this.#streams;
      if (oldest?.[1].response.ended) this.#finish(...oldest);
      else if (oldest !== undefined) this.#tell(...oldest, 'no response');
    }
    stream = new Http2Stream(this.#context.detail, this.#context.showSecrets);
    this.#streams.set(id, stream);
    this.#highest = Math.max(this.#highest, id);
    return stream;
  }

  #ended(direction: Direction, id: number, stream: Http2Stream): void {
    if (direction.side === SIDE.client) {
      stream.request.ended = true;
      if (stream.response.ended) this.#finish(id, stream);
      return;
    }
    stream.response.ended = true;
    // Its request may be at hand, and only not be read yet.
    const waits = id > this.#asked && this.#begun[SIDE.client] && !this.#directions[SIDE.client].reader.lost;
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
    this.#tell(id, stream, stream.response.begun ? undefined : 'response not captured');
  }

  #reset(direction: Direction, id: number, code: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    const half = direction.side === SIDE.client ? stream.request : stream.response;
    if (direction.side === SIDE.server) half.seen(this.#context.now, FRAME_HEADER + 4);
    stream.reset = errorName(code);
    this.#tell(id, stream, 'reset');
  }

  #goAway(direction: Direction, bytes: Uint8Array, start: number, end: number): void {
    const code = i32(bytes, start + 4);
    if (code === 0) return;
    const debug = latin1(bytes, start + 8, Math.min(end, start + 8 + 200));
    const words = this.#context.showSecrets ? debug : maskText(debug);
    const label = oneLine(words === '' ? `GOAWAY ${errorName(code)}` : `GOAWAY ${errorName(code)}: ${words}`);
    const { now } = this.#context;
    const said = { kind: 'event', protocol: 'http', code: 'HTTP2_GOAWAY', time: now, from: direction.side } as const;
    this.#context.emit({ ...said, label, failed: true, fields: { http: { version: '2' } } });
  }

  #tell(id: number, stream: Http2Stream, incomplete: Incomplete | undefined): void {
    this.#streams.delete(id);
    this.#context.emit(stream.exchange(this.#context.detail, this.#context.showSecrets, incomplete));
  }
}

function isUnderWay({ begun, ended }: Half): boolean {
  return begun && !ended;
}
