/** Where packets of a time are on the disk: bytes of whole blocks in a piece. */
export interface Segment {
  readonly piece: string;
  readonly from: number;
  to: number;
  /** Times of its earliest and latest packet, ns since the first packet of the analysis. */
  first: number;
  last: number;
}

/** A segment grows up to this. */
const SEGMENT_BYTES = 256 * 1024;

/** The packets of the ring, by time. */
export class PacketIndex {
  /** The latest packet that was removed from the ring. */
  goneUntil = Number.NEGATIVE_INFINITY;
  #segments: Segment[] = [];

  add(added: Segment): void {
    const last = this.#segments.at(-1);
    const joins = last?.piece === added.piece && last.to === added.from && added.to - last.from <= SEGMENT_BYTES;
    if (!joins) {
      this.#segments.push(added);
      return;
    }
    last.to = added.to;
    last.first = Math.min(last.first, added.first);
    last.last = Math.max(last.last, added.last);
  }

  /** A piece was removed. */
  remove(piece: string): void {
    for (const segment of this.#segments) {
      if (segment.piece === piece) this.goneUntil = Math.max(this.goneUntil, segment.last);
    }
    this.#segments = this.#segments.filter((segment) => segment.piece !== piece);
  }

  /** Segments that have packets of a time, in the order in which they were written. */
  between(from: number, to: number): readonly Segment[] {
    return this.#segments.filter(({ first, last }) => last >= from && first <= to);
  }
}
