import { latin1 } from '../../record/text.ts';
import { VarintReader } from './varint.ts';

/** Takes what Initial packets carry besides acknowledgements (RFC 9000 section 12.4). */
export interface FrameSink {
  onCrypto(offset: number, bytes: Uint8Array, start: number, end: number): void;
  onClose(error: number, reason: string): void;
}

/** Characters kept of why a connection was closed. */
const REASON_MAXIMUM = 200;

/** Walk the frames of an Initial packet's payload; one of another kind ends it. */
export function eachFrame(payload: Uint8Array, sink: FrameSink): void {
  const reader = new VarintReader(payload, 0, payload.length);
  while (reader.at < payload.length) {
    const type = reader.next();
    // PADDING, PING.
    if (type <= 1) continue;
    if (type === 2 || type === 3) skipAck(reader, type === 3);
    else if (type === 6) {
      const offset = reader.next();
      const length = reader.next();
      const { at } = reader;
      if (!(length <= payload.length - at)) return;
      reader.at += length;
      sink.onCrypto(offset, payload, at, at + length);
    } else {
      if (type === 0x1c) {
        const error = reader.next();
        reader.next();
        const length = reader.next();
        if (!(length <= payload.length - reader.at)) return;
        const { at } = reader;
        sink.onClose(error, latin1(payload, at, at + Math.min(length, REASON_MAXIMUM)));
      }
      return;
    }
  }
}

/** Section 19.3: largest, delay, number of further ranges, first range; the ranges; ECN counts. */
function skipAck(reader: VarintReader, ecn: boolean): void {
  reader.next();
  reader.next();
  const ranges = reader.next();
  reader.next();
  for (let left = ranges * 2 + (ecn ? 3 : 0); left > 0 && reader.at < reader.end; left -= 1) reader.next();
}
