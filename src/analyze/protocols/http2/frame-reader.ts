import { i32, u8 } from '../../bytes.ts';

/** RFC 9113, section 6. */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG = { endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

export const FRAME_HEADER = 9;
/** Bytes of a frame that is looked at as a whole; more are no header block anybody sends. */
const GATHERED_MAXIMUM = 256 * 1024;
/** Bytes of a frame of a type that is not known: receivers that allow more than 16 kB allow no more than this. */
const UNKNOWN_MAXIMUM = 1024 * 1024;

/** Times of bytes: ns, and whether they are known. */
export interface FrameClock {
  readonly now: number;
  readonly timeKnown: boolean;
}

/** Takes one direction's frames. */
export interface FrameSink {
  /** Bytes of a DATA frame, `offset` of them into its payload. */
  onData(
    stream: number,
    flags: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
    length: number,
  ): void;
  /** Bytes of a DATA frame's payload that were not captured. */
  onDataGap(stream: number, flags: number, gap: number, offset: number, length: number): void;
  /** Any other frame of a known type, whole. */
  onFrame(type: number, flags: number, stream: number, bytes: Uint8Array, start: number, end: number): void;
  /** Such a frame of which bytes were not captured. */
  onFrameGap(type: number, flags: number, stream: number): void;
  /**
   * Where frames begin is not known any more.
   * @param why what is not understood; empty when bytes were not captured
   */
  onLost(why: string): void;
}

/** Cuts one direction into frames. DATA is handed on as it comes, everything else gathered. */
export class FrameReader {
  lost = false;
  /** When the first byte of the frame under way came, and whether that time is known. */
  began = 0;
  beganKnown = true;
  readonly #sink: FrameSink;
  readonly #header = new Uint8Array(FRAME_HEADER);
  #headerFilled = 0;
  #length = 0;
  #type = 0;
  #flags = 0;
  #stream = 0;
  #seen = 0;
  /** Bytes of the frame under way were not captured. */
  #holed = false;
  #gathered: Uint8Array = new Uint8Array(0);

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** @param clock when the bytes came @returns where it stopped: `end`, or earlier when it is lost */
  data(bytes: Uint8Array, start: number, end: number, clock: FrameClock): number {
    let at = start;
    while (at < end && !this.lost) {
      if (this.#headerFilled < FRAME_HEADER) {
        if (this.#headerFilled === 0) {
          this.began = clock.now;
          this.beganKnown = clock.timeKnown;
        }
        const taken = Math.min(FRAME_HEADER - this.#headerFilled, end - at);
        for (let index = 0; index < taken; index += 1) this.#header[this.#headerFilled + index] = u8(bytes, at + index);
        this.#headerFilled += taken;
        at += taken;
        if (this.#headerFilled < FRAME_HEADER) return end;
        this.#begin();
        if (this.#length === 0 && !this.lost) this.#finish(bytes, at, at);
        continue;
      }
      const taken = Math.min(this.#length - this.#seen, end - at);
      if (this.#type === FRAME.data) {
        this.#sink.onData(this.#stream, this.#flags, bytes, at, at + taken, this.#seen, this.#length);
        this.#seen += taken;
        if (this.#seen === this.#length) this.#headerFilled = 0;
      } else if (this.#holed || this.#type > FRAME.continuation) {
        this.#seen += taken;
        if (this.#seen === this.#length) this.#finish(bytes, at, at);
      } else if (this.#seen === 0 && taken === this.#length) this.#finish(bytes, at, at + taken);
      else {
        this.#gather(bytes, at, at + taken);
        this.#seen += taken;
        if (this.#seen === this.#length) this.#finish(this.#gathered, 0, this.#length);
      }
      at += taken;
    }
    return at;
  }

  /** A frame begins with the next bytes. */
  restart(): void {
    this.lost = false;
    this.#headerFilled = 0;
    this.#seen = 0;
  }

  /** Bytes that were not captured: a frame's length shows where the next one begins. */
  gap(length: number): void {
    if (this.lost) return;
    const inFrame = this.#headerFilled === FRAME_HEADER;
    const within = inFrame ? Math.min(length, this.#length - this.#seen) : 0;
    if (within > 0) {
      this.#holed = true;
      if (this.#type === FRAME.data) {
        this.#sink.onDataGap(this.#stream, this.#flags, within, this.#seen, this.#length);
      }
      this.#seen += within;
      if (this.#seen === this.#length) this.#finish(this.#header, 0, 0);
    }
    if (within === length) return;
    this.lost = true;
    this.#sink.onLost('');
  }

  #begin(): void {
    const header = this.#header;
    this.#length = i32(header, 0) >>> 8;
    this.#type = u8(header, 3);
    this.#flags = u8(header, 4);
    this.#stream = i32(header, 5) & 0x7fff_ffff;
    this.#seen = 0;
    this.#holed = false;
    if (isFrame(this.#type, this.#length, i32(header, 5))) return;
    this.lost = true;
    this.#sink.onLost('no frame header');
  }

  #finish(bytes: Uint8Array, start: number, end: number): void {
    this.#headerFilled = 0;
    const holed = this.#holed;
    if (this.#type === FRAME.data) {
      if (!holed) this.#sink.onData(this.#stream, this.#flags, bytes, start, end, 0, 0);
    } else if (this.#type > FRAME.continuation) return;
    else if (holed) this.#sink.onFrameGap(this.#type, this.#flags, this.#stream);
    else this.#sink.onFrame(this.#type, this.#flags, this.#stream, bytes, start, end);
  }

  #gather(bytes: Uint8Array, start: number, end: number): void {
    if (this.#gathered.length < this.#length) {
      const larger = new Uint8Array(this.#length);
      larger.set(this.#gathered.subarray(0, this.#seen));
      this.#gathered = larger;
    }
    this.#gathered.set(bytes.subarray(start, end), this.#seen);
  }
}

/**
 * Whether a frame may have this type, length and stream (RFC 9113, section 6). Types that are not known are allowed and
 * ignored (section 5.5): extensions such as Envoy's metadata, and types that are sent to keep receivers tolerant (GREASE).
 * @param stream int32 with its reserved bit, which senders leave 0
 */
function isFrame(type: number, length: number, stream: number): boolean {
  if (stream < 0) return false;
  switch (type) {
    case FRAME.data:
      return stream > 0;
    case FRAME.headers:
    case FRAME.continuation:
    case FRAME.pushPromise:
      return stream > 0 && length <= GATHERED_MAXIMUM;
    case FRAME.priority:
      return length === 5;
    case FRAME.reset:
    case FRAME.windowUpdate:
      return length === 4;
    case FRAME.settings:
      return stream === 0 && length % 6 === 0 && length <= GATHERED_MAXIMUM;
    case FRAME.ping:
      return stream === 0 && length === 8;
    case FRAME.goAway:
      return stream === 0 && length >= 8 && length <= GATHERED_MAXIMUM;
    default:
      return length <= UNKNOWN_MAXIMUM;
  }
}
