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
  const { data, gap } = TcpStream.prototype;
  TcpStream.prototype.data = function (this: TcpStream, direction, bytes, start, end, carrier) {
    // A stream that has found its protocol hands itself the bytes that showed it once more.
    if (!inside) of(this).bytes[direction === 0 ? 0 : 1].push(Buffer.from(bytes.subarray(start, end)));
    const before = inside;
    inside = true;
    data.call(this, direction, bytes, start, end, carrier);
    inside = before;
  };
  TcpStream.prototype.gap = function (this: TcpStream, direction, length, isCut) {
    of(this).gap = true;
    gap.call(this, direction, length, isCut);
  };
  try {
    return { analysed: analyseBytes(capture), streams };
  } finally {
    Object.assign(TcpStream.prototype, { data, gap });
  }
}
