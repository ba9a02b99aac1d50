import { joinedBytes } from '../../../wire/bytes.ts';
import type { Side } from '../../record/event.ts';
import { FLAG, FrameReader } from './frame-reader.ts';
import { HpackDecoder } from './hpack.ts';

/** Bytes of one header block over all its frames. */
const BLOCK_MAXIMUM = 512 * 1024;

/** What `Direction.gather` returns instead of a block: more of it is to come, or it is too long to be believed. */
export const BLOCK = { more: 'more', tooLong: 'too long' } as const;

/** Takes the frames of both directions. */
export interface Http2DirectionSink {
  onData(
    direction: Http2Direction,
    id: number,
    flags: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
    length: number,
  ): void;
  onDataGap(direction: Http2Direction, id: number, flags: number, gap: number, last: boolean): void;
  onFrame(
    direction: Http2Direction,
    type: number,
    flags: number,
    id: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void;
  onFrameGap(direction: Http2Direction, type: number, flags: number, id: number): void;
  onLost(direction: Http2Direction, why: string): void;
}

/** What one direction needs: its frames, its header table, the header block under way. */
export class Http2Direction {
  readonly reader: FrameReader;
  readonly hpack = new HpackDecoder(false);
  readonly side: Side;
  /** Bytes of the client's preface still to come. */
  preface = 0;
  /** Of the header block under way: the flags of its first frame, and its stream; 0 without one. */
  blockFlags = 0;
  blockStream = 0;
  /** The stream that the current header block promises; 0 where it is not a push promise. */
  promised = 0;
  /** Whether an event has reported that this direction is not understood. */
  reported = false;
  /** Of a DATA frame under way: bytes of padding at its end. */
  padding = 0;
  #block: Uint8Array[] = [];
  #blockBytes = 0;

  constructor(side: Side, sink: Http2DirectionSink) {
    this.side = side;
    this.reader = new FrameReader({
      onData: (stream, flags, bytes, start, end, offset, length) =>
        sink.onData(this, stream, flags, bytes, start, end, offset, length),
      onDataGap: (stream, flags, gap, offset, length) =>
        sink.onDataGap(this, stream, flags, gap, offset + gap === length),
      onFrame: (type, flags, stream, bytes, start, end) => sink.onFrame(this, type, flags, stream, bytes, start, end),
      onFrameGap: (type, flags, stream) => sink.onFrameGap(this, type, flags, stream),
      onLost: (why) => sink.onLost(this, why),
    });
  }

  /**
   * Take a frame's part of a header block.
   * @param first whether it begins one
   * @returns the whole block when this was the last of it; valid during the call
   */
  gather(
    id: number,
    flags: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    first: boolean,
  ): Uint8Array | (typeof BLOCK)[keyof typeof BLOCK] {
    if (first) {
      this.dropBlock();
      this.blockFlags = flags;
      this.blockStream = id;
    }
    this.#blockBytes += end - start;
    if (this.#blockBytes > BLOCK_MAXIMUM) return BLOCK.tooLong;
    const part = bytes.subarray(start, end);
    if ((flags & FLAG.endHeaders) === 0) {
      this.#block.push(Uint8Array.from(part));
      return BLOCK.more;
    }
    const whole = this.#block.length === 0 ? part : joinedBytes([...this.#block, part]);
    this.dropBlock();
    return whole;
  }

  /** No header block is under way any more. */
  dropBlock(): void {
    this.#block = [];
    this.#blockBytes = 0;
    this.blockStream = 0;
  }
}
