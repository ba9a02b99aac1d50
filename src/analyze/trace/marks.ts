/**
 * When which parts of one direction of a flow were seen at one place of capture. A part has a number (int32) that is the same
 * at all places: a byte's sequence number of TCP, the hash of a datagram.
 */
export interface Marks {
  /** Segments or datagrams remembered. */
  readonly size: number;
  /** Counts what may change an answer that was given: while it stays the same the answer does. */
  readonly changes: number;
  /** Whether parts up to one were skipped and have not come since. */
  hasHolesUpTo(at: number): boolean;
  /** When a part was first seen; undefined where it was not, or is forgotten. */
  firstSeen(at: number): number | undefined;
  /**
   * When all parts of a range had been seen; undefined where one was not. Of a range whose beginning is forgotten the rest counts.
   * @param from, to both inclusive
   */
  allSeen(from: number, to: number): number | undefined;
  /** The first part that came at exactly this time; undefined where none did, or where it cannot be told apart from others. */
  firstAt(time: number): number | undefined;
  /** The last part that was there when parts came at exactly this time; undefined likewise. */
  lastAt(time: number): number | undefined;
  /**
   * Segments or datagrams within a range that came again, and how long after the first time the last one did.
   * @param from, to both inclusive @param copyNs what comes again sooner is a copy made by the capture
   * @param until what comes later does not count, ns
   */
  repeatsWithin(
    from: number,
    to: number,
    copyNs: number,
    until: number,
  ): { readonly count: number; readonly after: number };
}
