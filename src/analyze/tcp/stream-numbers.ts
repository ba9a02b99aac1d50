/**
 * What a stream counts, as positions in StreamNumbers.values from its first one on. Each has two entries, by direction: 0 from
 * endpoint a, 1 from endpoint b. Offsets are bytes from where the capture of the direction began; times are ns.
 */
export const STREAM_F64 = {
  /** Bytes handed on or given up as gaps so far. */
  delivered: 0,
  /** Offset behind what its analyzer has been given, as bytes or as a gap. */
  given: 2,
  /** Where the bytes of its protocol begin. */
  beginning: 4,
  /** Time of the last bytes handed on. */
  handedAt: 6,
  /** The least that the other direction acknowledged, a sequence number (int32); NaN before any. */
  acknowledgedFirst: 8,
  /** What the other side acknowledged before its first bytes were handed on, int32; NaN for nothing. */
  acknowledgedEarly: 10,
  /** Offset behind those bytes. */
  answeredBefore: 12,
  /** The latest time of such bytes: their answers may have been handed on before them. */
  answeredUntil: 14,
  /**
   * The earliest and the latest time of the bytes that the clock of the last ones stamped. While the clock is steady and time
   * goes forward, the latest is the one in `handedAt`.
   */
  stampedFrom: 16,
  stampedTo: 18,
  /** The clock of the last bytes handed on; -1 before any. Bytes that fill a hole from elsewhere do not count. */
  handedClock: 20,
} as const;

const STRIDE = 22;

const FRESH = new Float64Array(STRIDE);
for (const direction of [0, 1]) {
  FRESH[STREAM_F64.handedAt + direction] = Number.NEGATIVE_INFINITY;
  FRESH[STREAM_F64.acknowledgedFirst + direction] = Number.NaN;
  FRESH[STREAM_F64.acknowledgedEarly + direction] = Number.NaN;
  FRESH[STREAM_F64.answeredUntil + direction] = Number.NEGATIVE_INFINITY;
  FRESH[STREAM_F64.handedClock + direction] = -1;
}

const MINIMUM_STREAMS = 64;

/**
 * The numbers of all streams in one array, by slot of the flow table: a connection that is open costs 176 bytes of it in place of
 * an object for each pair.
 */
export class StreamNumbers {
  /** Read it anew after `begin`: it may have grown. */
  values = new Float64Array(MINIMUM_STREAMS * STRIDE);

  /** A stream begins in a slot. @returns the position of its first number */
  begin(slot: number): number {
    const base = slot * STRIDE;
    if (base >= this.values.length) {
      let length = this.values.length * 2;
      while (base >= length) length *= 2;
      const larger = new Float64Array(length);
      larger.set(this.values);
      this.values = larger;
    }
    this.values.set(FRESH, base);
    return base;
  }
}
