import { TcpStream } from '../../src/analyze/tcp/stream.ts';
import { type Analysed, analyseBytes } from '../support/analysis.ts';

/** What a connection was handed in order: each direction's bytes, and whether some are missing. */
interface StreamBytes {
  readonly bytes: readonly [Buffer[], Buffer[]];
  gap: boolean;
}

export interface Watched {
  readonly analysed: Analysed;
  /** By the flow's id. */
  readonly streams: ReadonlyMap<number, StreamBytes>;
}

/** Analyse a capture while the bytes are kept that every stream is handed in order. */
export function watchBytes(capture: Uint8Array): Watched {
  const streams = new Map<number, StreamBytes>();
  const of = ({ flow }: TcpStream) => {
    const stream = streams.get(flow) ?? { bytes: [[], []], gap: false };
    streams.set(flow, stream);
    return stream;
  };
  let inside = false;
  /** A stream that has found its protocol hands itself the bytes that showed it once more. */
  const take = (stream: TcpStream, direction: number, taken: Uint8Array, hand: () => void) => {
    if (!inside) of(stream).bytes[direction === 0 ? 0 : 1].push(Buffer.from(taken));
    const before = inside;
    inside = true;
    hand();
    inside = before;
  };
  const { data, steadyData, gap, unread } = TcpStream.prototype;
  // Of bytes that are only counted no copy is made.
  TcpStream.prototype.unread = () => 0;
  TcpStream.prototype.data = function (this: TcpStream, direction, bytes, start, end, carrier) {
    take(this, direction, bytes.subarray(start, end), () => data.call(this, direction, bytes, start, end, carrier));
  };
  TcpStream.prototype.steadyData = function (this: TcpStream, own, bytes, start, end, sentBefore, isCrossing) {
    take(this, own, bytes.subarray(start, end), () =>
      steadyData.call(this, own, bytes, start, end, sentBefore, isCrossing),
    );
  };
  TcpStream.prototype.gap = function (this: TcpStream, direction, length, isCut) {
    of(this).gap = true;
    gap.call(this, direction, length, isCut);
  };
  try {
    return { analysed: analyseBytes(capture), streams };
  } finally {
    Object.assign(TcpStream.prototype, { data, steadyData, gap, unread });
  }
}
