import type { FramedMessage } from '../framed-connection.ts';

/** What is kept of a request's parameters, and of an answer's head. */
const KEPT_MAXIMUM = 16_384;

/** The records of one request, or of one answer, as one message. */
export class Parts implements FramedMessage {
  readonly time: number;
  readonly start: number;
  readonly acknowledged: number;
  readonly acknowledgedAtMost: number;
  end: number | undefined;
  timed: boolean;
  bytes: number;
  length: number;
  whole: boolean;
  /** What the packet of its last record acknowledges. */
  lastAcknowledged: number;
  /** The first bytes of its stream. */
  kept = new Uint8Array(0);
  /** Behind this length nothing is kept, or something before it is missing. */
  #isFull = false;

  constructor(first: FramedMessage) {
    this.time = first.time;
    this.start = first.start;
    this.acknowledged = first.acknowledged;
    this.acknowledgedAtMost = first.acknowledgedAtMost;
    this.end = first.end;
    this.timed = first.timed;
    this.bytes = first.bytes;
    this.length = first.length;
    this.whole = first.whole;
    this.lastAcknowledged = first.acknowledged;
  }

  /** A further record of it. */
  grow(record: FramedMessage): void {
    this.end = record.end;
    this.timed &&= record.timed;
    this.bytes += record.bytes;
    this.length += record.length;
    this.whole &&= record.whole;
    this.lastAcknowledged = record.acknowledged;
  }

  /** Keeps a record's content, `whole` or up to the first byte that is missing. */
  keep(bytes: Uint8Array, start: number, end: number, isWhole: boolean): void {
    if (this.#isFull || end <= start) {
      if (!isWhole) this.#isFull = true;
      return;
    }
    const length = Math.min(end - start, KEPT_MAXIMUM - this.kept.length);
    const joined = new Uint8Array(this.kept.length + length);
    joined.set(this.kept);
    joined.set(bytes.subarray(start, start + length), this.kept.length);
    this.kept = joined;
    if (!isWhole || length < end - start) this.#isFull = true;
  }
}
