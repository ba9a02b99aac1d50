import { latin1 } from '../../record/text.ts';
import type { StreamContext } from '../protocol.ts';

/** A reply's longest line, its CRLF included (RFC 5321, section 4.5.3.1.5); of longer lines the rest is only counted. */
export const LINE_MAXIMUM = 512;

const LF = 10;

/** One direction's line, as far as it has come. */
export class Line {
  text = '';
  /** Stream offset of its first byte. */
  start = 0;
  bytes = 0;
  /** Times of the packets of its first and last byte, ns, and whether both are known. */
  firstTime = 0;
  lastTime = 0;
  timed = true;
  /** What the packet of its first byte acknowledges of the other side, -1 if unknown. */
  acknowledged = -1;
  /** What precedes it was not captured: it may be the end of a line. */
  followsGap = false;

  /**
   * Takes bytes up to the end of the line.
   * @param offset of bytes[start] in the stream
   * @returns behind its end; -1 where it goes on
   */
  take(bytes: Uint8Array, start: number, end: number, offset: number, context: StreamContext): number {
    if (this.bytes === 0) {
      this.start = offset;
      this.firstTime = context.now;
      this.timed = context.timeKnown;
      this.acknowledged = context.acknowledged;
    }
    const found = bytes.subarray(start, end).indexOf(LF);
    const isWhole = found >= 0;
    const stop = isWhole ? start + found + 1 : end;
    const room = LINE_MAXIMUM - this.text.length;
    if (room > 0) this.text += latin1(bytes, start, Math.min(stop, start + room));
    this.bytes += stop - start;
    this.lastTime = context.now;
    this.timed &&= context.timeKnown;
    return isWhole ? stop : -1;
  }

  clear(followsGap = false): void {
    this.text = '';
    this.bytes = 0;
    this.followsGap = followsGap;
  }
}
