import { OUT_OF_ORDER_BYTES, OUT_OF_ORDER_SEGMENTS } from '../limits.ts';
import type { Carrier } from './carrier.ts';

/** A segment that cannot be handed on yet: a copy. */
export interface HeldSegment extends Carrier {
  /** int32 */
  readonly sequence: number;
  /** Bytes on the wire. */
  readonly length: number;
  /** Bytes captured, fewer when the capture cut it: the first ones of `bytes`. */
  readonly captured: number;
  readonly bytes: Uint8Array;
  /** Of its packet, ns. */
  readonly time: number;
}

/** One direction's segments by sequence number: those that wait, or copies from another place. Bounded. */
export class HeldSegments {
  readonly segments: HeldSegment[] = [];
  bytes = 0;

  /** The first one in sequence. */
  get first(): HeldSegment | undefined {
    return this.segments[0];
  }

  /** @returns whether more can be taken */
  add(segment: HeldSegment): boolean {
    const { segments } = this;
    let at = segments.length;
    while (at > 0 && (((segments[at - 1] as HeldSegment).sequence - segment.sequence) | 0) > 0) at -= 1;
    // The same bytes again: the longer one is kept.
    const before = segments[at - 1];
    if (before !== undefined && before.sequence === segment.sequence && before.length >= segment.length) return true;
    if (at === segments.length) segments.push(segment);
    else segments.splice(at, 0, segment);
    this.bytes += segment.captured;
    return this.bytes < OUT_OF_ORDER_BYTES && segments.length < OUT_OF_ORDER_SEGMENTS;
  }

  /** Take the first one out. */
  shift(): HeldSegment | undefined {
    const segment = this.segments.shift();
    if (segment !== undefined) this.bytes -= segment.captured;
    return segment;
  }

  /** The first one that begins behind a sequence number. */
  after(sequence: number): HeldSegment | undefined {
    return this.segments.find((segment) => ((segment.sequence - sequence) | 0) > 0);
  }

  /** Whether one of them begins behind a sequence number. */
  reachesBehind(sequence: number): boolean {
    const last = this.segments.at(-1);
    return last !== undefined && ((last.sequence - sequence) | 0) > 0;
  }

  takeAll(): HeldSegment[] {
    this.bytes = 0;
    return this.segments.splice(0);
  }

  /** Take out the one that holds the byte at a sequence number. */
  takeAt(sequence: number): HeldSegment | undefined {
    const at = this.#indexAt(sequence);
    if (at < 0) return undefined;
    const [segment] = this.segments.splice(at, 1);
    if (segment !== undefined) this.bytes -= segment.captured;
    return segment;
  }

  /** The segment that `takeAt` would take out. */
  at(sequence: number): HeldSegment | undefined {
    return this.segments[this.#indexAt(sequence)];
  }

  #indexAt(sequence: number): number {
    return this.segments.findIndex(
      (segment) => ((segment.sequence - sequence) | 0) <= 0 && ((segment.sequence + segment.length - sequence) | 0) > 0,
    );
  }

  /** Drop what ends at or before a sequence number. @returns bytes dropped */
  dropUntil(sequence: number): number {
    const before = this.bytes;
    for (let first = this.first; first !== undefined; first = this.first) {
      if (((first.sequence + first.length - sequence) | 0) > 0) break;
      this.shift();
    }
    return before - this.bytes;
  }
}

/** What a connection waits for, by direction. Made when the first segment has to wait. */
export class Waiting {
  readonly segments = [new HeldSegments(), new HeldSegments()] as const;
  /** The other side has acknowledged up to here bytes that were not seen, and when; NaN where it has not. */
  readonly acknowledged: [number, number] = [0, 0];
  readonly acknowledgedAt: [number, number] = [Number.NaN, Number.NaN];
  /** It stands in the queue of short, of long deadlines. */
  soon = false;
  late = false;

  /** Segments of one direction at most wait, and nothing else. */
  get isOneSided(): boolean {
    const [a, b] = this.segments;
    const isOne = a.first === undefined || b.first === undefined;
    return isOne && Number.isNaN(this.acknowledgedAt[0]) && Number.isNaN(this.acknowledgedAt[1]);
  }

  get isEmpty(): boolean {
    const [a, b] = this.segments;
    return (
      a.segments.length === 0 &&
      b.segments.length === 0 &&
      Number.isNaN(this.acknowledgedAt[0]) &&
      Number.isNaN(this.acknowledgedAt[1])
    );
  }
}
