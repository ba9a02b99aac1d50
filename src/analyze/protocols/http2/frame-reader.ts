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
/** Octets of a frame that is looked at as a whole; more are no header block anybody sends. */
const GATHERED_MAXIMUM = 256 * 1024;
/** Types of frames in use (IANA, "HTTP/2 Frame Type"); others are passed over. */
const TYPE_MAXIMUM = 0x20;

/** Takes one direction's frames. */
export interface FrameSink {
  /** Octets of a DATA frame, `offset` of them into its payload. */
  onData(
    stream: number,
    flags: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
    length: number,
  ): void;
  /** Octets of a DATA frame's payload that were not captured. */
  onDataGap(stream: number, flags: number, gap: number, offset: number, length: number): void;
  /** Any other frame, whole. */
  onFrame(type: number, flags: number, stream: number, bytes: Uint8Array, start: number, end: number): void;
  onLost(): void;
}

/** Cuts one direction into frames. DATA is handed on as it comes, everything else gathered. */
export class FrameReader {
  lost = false;
  readonly #sink: FrameSink;
  readonly #header = new Uint8Array(FRAME_HEADER);
  #headerFilled = 0;
  #length = 0;
  #type = 0;
  #flags = 0;
  #stream = 0;
  #seen = 0;
  #gathered: Uint8Array = new Uint8Array(0);

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  data(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end && !this.lost) {
      if (this.#headerFilled < FRAME_HEADER) {
        const taken = Math.min(FRAME_HEADER - this.#headerFilled, end - at);
        for (let index = 0; index < taken; index += 1) this.#header[this.#headerFilled + index] = u8(bytes, at + index);
        this.#headerFilled += taken;
        at += taken;
        if (this.#headerFilled < FRAME_HEADER) return;
        this.#begin();
        if (this.#length === 0 && !this.lost) this.#finish(bytes, at, at);
        continue;
      }
      const taken = Math.min(this.#length - this.#seen, end - at);
      if (this.#type === FRAME.data) {
        this.#sink.onData(this.#stream, this.#flags, bytes, at, at + taken, this.#seen, this.#length);
        this.#seen += taken;
        if (this.#seen === this.#length) this.#headerFilled = 0;
      } else if (this.#seen === 0 && taken === this.#length) this.#finish(bytes, at, at + taken);
      else {
        this.#gather(bytes, at, at + taken);
        this.#seen += taken;
        if (this.#seen === this.#length) this.#finish(this.#gathered, 0, this.#length);
      }
      at += taken;
    }
  }

  /** A frame begins with the next octets. */
  restart(): void {
    this.lost = false;
    this.#headerFilled = 0;
    this.#seen = 0;
  }

  gap(length: number): void {
    if (this.lost) return;
    const inData = this.#headerFilled === FRAME_HEADER && this.#type === FRAME.data;
    const left = this.#length - this.#seen;
    if (!inData || length > left) {
      if (inData) this.#sink.onDataGap(this.#stream, this.#flags, left, this.#seen, this.#length);
      this.lost = true;
      this.#sink.onLost();
      return;
    }
    this.#sink.onDataGap(this.#stream, this.#flags, length, this.#seen, this.#length);
    this.#seen += length;
    if (this.#seen === this.#length) this.#headerFilled = 0;
  }

  #begin(): void {
    const header = this.#header;
    this.#length = i32(header, 0) >>> 8;
    this.#type = u8(header, 3);
    this.#flags = u8(header, 4);
    this.#stream = i32(header, 5) & 0x7fff_ffff;
    this.#seen = 0;
    const tooLong = this.#type !== FRAME.data && this.#length > GATHERED_MAXIMUM;
    if (this.#type <= TYPE_MAXIMUM && !tooLong) return;
    this.lost = true;
    this.#sink.onLost();
  }

  #finish(bytes: Uint8Array, start: number, end: number): void {
    this.#headerFilled = 0;
    if (this.#type === FRAME.data) this.#sink.onData(this.#stream, this.#flags, bytes, start, end, 0, 0);
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
