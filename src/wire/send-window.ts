import { invalid } from './guard.ts';
import { FRAME_BYTES } from './limits.ts';
import { encodeFrame, FRAME_HEADER, FRAME_KIND } from './session-frame.ts';

/** What was sent on one channel and not yet acknowledged, as the frames it was sent in. */
export class SendWindow {
  readonly #channel: number;
  readonly #frames: Uint8Array[] = [];
  #acknowledged = 0;
  /** Offset of the first byte in #frames; below #acknowledged when a frame was acknowledged in part. */
  #first = 0;
  #end = 0;

  constructor(channel: number) {
    this.#channel = channel;
  }

  /** Bytes kept because the other side has not acknowledged them. */
  get unacknowledged(): number {
    return this.#end - this.#acknowledged;
  }

  /** Keep bytes (copied). @returns the frames that carry them */
  push(bytes: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (let start = 0; start < bytes.length; start += FRAME_BYTES) {
      const piece = bytes.subarray(start, start + FRAME_BYTES);
      frames.push(encodeFrame(FRAME_KIND.data, this.#channel, this.#end, piece));
      this.#end += piece.length;
    }
    this.#frames.push(...frames);
    return frames;
  }

  /**
   * The other side has everything before this offset.
   * @throws KsnoopError INVALID_MESSAGE for an offset that cannot be
   */
  acknowledge(offset: number): void {
    if (offset > this.#end) throw invalid('acknowledgement', `is of byte ${offset}, of ${this.#end} sent`);
    // An older one than the last: it was under way when the connection broke.
    if (offset <= this.#acknowledged) return;
    this.#acknowledged = offset;
    let whole = 0;
    for (const frame of this.#frames) {
      const length = frame.length - FRAME_HEADER;
      if (this.#first + length > offset) break;
      this.#first += length;
      whole += 1;
    }
    this.#frames.splice(0, whole);
  }

  /** The frames to send again on a new connection: everything from the last acknowledged byte. */
  again(): Uint8Array[] {
    const [head, ...rest] = this.#frames;
    if (head === undefined) return [];
    const skipped = this.#acknowledged - this.#first;
    if (skipped === 0) return [head, ...rest];
    const remainder = head.subarray(FRAME_HEADER + skipped);
    return [encodeFrame(FRAME_KIND.data, this.#channel, this.#acknowledged, remainder), ...rest];
  }
}
