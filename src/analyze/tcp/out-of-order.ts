import { OUT_OF_ORDER_BYTES, OUT_OF_ORDER_SEGMENTS } from '../limits.ts';

/** A segment that waits for what comes before it: a copy. */
export interface WaitingSegment {
  /** int32 */
  readonly sequence: number;
  /** Octets on the wire; `bytes` may hold fewer, when the capture cut it. */
  readonly length: number;
  readonly bytes: Uint8Array;
  readonly time: number;
  readonly acknowledgment: number;
  readonly hasAcknowledgment: boolean;
}

/** One direction's segments behind a hole, by sequence number. Bounded. */
export class OutOfOrder {
  readonly segments: WaitingSegment[] = [];
  octets = 0;
  /** When the first of them came. */
  since = 0;

  /** @returns whether more can be taken: when not, the hole is to be given up */
  add(segment: WaitingSegment): boolean {
    const { segments } = this;
    if (segments.length === 0) this.since = segment.time;
    let at = segments.length;
    while (at > 0 && (((segments[at - 1] as WaitingSegment).sequence - segment.sequence) | 0) > 0) at -= 1;
    // The same octets again: the longer one is kept.
    const before = segments[at - 1];
    if (before !== undefined && before.sequence === segment.sequence && before.length >= segment.length) return true;
    segments.splice(at, 0, segment);
    this.octets += segment.bytes.length;
    return this.octets < OUT_OF_ORDER_BYTES && segments.length < OUT_OF_ORDER_SEGMENTS;
  }

  /** Take the first one out. */
  shift(): WaitingSegment | undefined {
    const segment = this.segments.shift();
    if (segment !== undefined) this.octets -= segment.bytes.length;
    return segment;
  }
}
