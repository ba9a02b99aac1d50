/** Of the packet whose bytes are handed on: its acknowledgment number, int32, where it has one. */
export interface Carrier {
  readonly acknowledgment: number;
  readonly hasAcknowledgment: boolean;
  /** The clock that stamped it (engine/places.ts); -1 where its time cannot be compared with those of its direction's others. */
  readonly clock: number;
  /** It came after a packet that lies behind it: it was sent again, or overtaken. What it acknowledges was perhaps received since. */
  readonly isLate: boolean;
  /** The other side had sent more than it acknowledges, none of it in answer to this packet. */
  readonly isCrossing: boolean;
}
