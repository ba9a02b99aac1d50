import type { Side } from '../../event.ts';
import { FrameReader } from './frame-reader.ts';
import { HpackDecoder } from './hpack.ts';

/** Takes the frames of both directions. */
export interface DirectionSink {
  onData(
    direction: Direction,
    id: number,
    flags: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
    length: number,
  ): void;
  onDataGap(direction: Direction, id: number, flags: number, gap: number, last: boolean): void;
  onFrame(
    direction: Direction,
    type: number,
    flags: number,
    id: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void;
  onLost(direction: Direction): void;
}

/** What one direction needs: its frames, its header table, the header block under way. */
export class Direction {
  readonly reader: FrameReader;
  readonly hpack = new HpackDecoder(false);
  readonly side: Side;
  /** Octets of the client's preface still to come. */
  preface = 0;
  block: Uint8Array[] = [];
  blockOctets = 0;
  blockFlags = 0;
  blockStream = 0;
  /** Of a DATA frame under way: octets of padding at its end. */
  padding = 0;

  constructor(side: Side, sink: DirectionSink) {
    this.side = side;
    this.reader = new FrameReader({
      onData: (stream, flags, bytes, start, end, offset, length) =>
        sink.onData(this, stream, flags, bytes, start, end, offset, length),
      onDataGap: (stream, flags, gap, offset, length) =>
        sink.onDataGap(this, stream, flags, gap, offset + gap === length),
      onFrame: (type, flags, stream, bytes, start, end) => sink.onFrame(this, type, flags, stream, bytes, start, end),
      onLost: () => sink.onLost(this),
    });
  }
}
