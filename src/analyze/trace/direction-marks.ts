import { TRACE_MARKS, TRACE_REPEATS } from '../limits.ts';
import type { Marks } from './marks.ts';

/** A range of the byte stream; `end` is behind it. Sequence numbers are int32. */
interface Bytes {
  readonly start: number;
  readonly end: number;
}

/** A range that came again, or late into a hole. */
interface Range extends Bytes {
  /** ns since the first packet */
  readonly time: number;
}

/** Segments that came again, and how long after their bytes were first seen the last one did, ns. */
export interface Repeats {
  readonly count: number;
  readonly after: number;
}

export const NO_REPEATS: Repeats = { count: 0, after: 0 };

/** A segment: its first and last byte, and when it was first seen. */
export interface Segment {
  readonly first: number;
  readonly last: number;
  readonly time: number;
}

/** Segments there is room for at first. Capacities are powers of two, as TRACE_MARKS is: a segment's slot is its number's lower bits. */
const SMALLEST = 8;

/**
 * When which bytes of one direction of a TCP connection were first seen at one place of capture. Sequence numbers are
 * int32 and compare as `(a - b) | 0`, so that they mean the same at all places: NAT keeps them. Only the latest TRACE_MARKS
 * segments are remembered.
 */
export class DirectionMarks implements Marks {
  /**
   * One segment after the other, in one cache line each: #ints has start and end in the first two of four, #doubles the time in the second of
   * two. Both are views of the same bytes.
   */
  #ints = new Int32Array(4 * SMALLEST);
  #doubles = new Float64Array(this.#ints.buffer);
  /** Segments there is room for, less 1: the bits of a segment's number that are its slot. */
  #mask = SMALLEST - 1;
  /** Segments ever added; the latest one is at (count - 1) modulo the capacity. */
  #count = 0;
  #high = 0;
  /** Ranges that were skipped and have not come since. */
  #holes: Bytes[] = [];
  /** There were more holes than are remembered: it is not known where all of them are. */
  #areHolesLost = false;
  /** Ranges that were seen before, and ranges that were skipped first. */
  readonly #repeats: Range[] = [];
  readonly #fills: Range[] = [];
  /** Segments that came again, late or behind a hole: without another one what was read of the marks stays as it was. */
  changes = 0;

  /** Segments remembered. */
  get size(): number {
    return Math.min(this.#count, this.#mask + 1);
  }

  hasHolesUpTo(at: number): boolean {
    if (this.#areHolesLost) return true;
    for (const { start } of this.#holes) if (((start - at) | 0) <= 0) return true;
    return false;
  }

  /** A segment with data. @param sequence int32 @param length bytes, more than 0 @param time ns @returns whether one more is remembered */
  add(sequence: number, length: number, time: number): boolean {
    const end = (sequence + length) | 0;
    if (this.#count === 0 || ((end - this.#high) | 0) > 0) {
      const ahead = this.#count === 0 ? 0 : (sequence - this.#high) | 0;
      if (ahead > 0) {
        this.#skip(this.#high, sequence | 0);
        this.changes += 1;
      }
      const isMore = this.#push(ahead < 0 ? this.#high : sequence | 0, end, time);
      this.#high = end;
      return isMore;
    }
    // Of what is older than all that is remembered nothing is known, once something was forgotten.
    const forgotten = this.#count - this.size;
    const oldest = forgotten & this.#mask;
    if (forgotten > 0 && ((sequence - (this.#ints[4 * oldest] as number)) | 0) < 0) return false;
    this.changes += 1;
    const range = { start: sequence | 0, end, time };
    const isFill = this.firstSeen(sequence) === undefined;
    if (isFill && this.#holes.length > 0) this.#holes = this.#holes.flatMap((hole) => without(hole, range));
    const list = isFill ? this.#fills : this.#repeats;
    if (list.length >= TRACE_REPEATS) list.shift();
    list.push(range);
    return false;
  }

  /** When a byte was first seen; undefined where it was not, or is forgotten. @param at int32 */
  firstSeen(at: number): number | undefined {
    for (const { start, end, time } of this.#fills) {
      if (((at - start) | 0) >= 0 && ((at - end) | 0) < 0) return time;
    }
    const index = this.#before(at);
    if (index < this.#count - this.size) return undefined;
    const slot = index & this.#mask;
    return ((at - (this.#ints[4 * slot + 1] as number)) | 0) < 0 ? this.#doubles[2 * slot + 1] : undefined;
  }

  allSeen(from: number, to: number): number | undefined {
    const forgotten = this.#count - this.size;
    let at = from;
    if (forgotten > 0) {
      const oldest = this.#ints[4 * (forgotten & this.#mask)] as number;
      if (((at - oldest) | 0) < 0) at = oldest;
    }
    let latest: number | undefined;
    let index = this.#before(at);
    while (((at - to) | 0) <= 0) {
      while (index + 1 < this.#count && !this.#beginsBehind(index + 1, at)) index += 1;
      const slot = index & this.#mask;
      let end = at;
      let time: number | undefined;
      if (index >= forgotten && ((at - (this.#ints[4 * slot + 1] as number)) | 0) < 0) {
        end = this.#ints[4 * slot + 1] as number;
        time = this.#doubles[2 * slot + 1];
      } else {
        const here = at;
        const fill = this.#fills.find((range) => ((here - range.start) | 0) >= 0 && ((here - range.end) | 0) < 0);
        if (fill !== undefined) ({ end, time } = fill);
      }
      if (time === undefined) return undefined;
      if (latest === undefined || time > latest) latest = time;
      at = end;
    }
    return latest;
  }

  /** The latest segment that begins at or before a byte; the one before the oldest where none does. */
  #before(at: number): number {
    const least = this.#count - this.size - 1;
    let high = this.#count - 1;
    let low = high;
    // Mostly it is one of the latest.
    for (let step = 1; low > least && this.#beginsBehind(low, at); step *= 2) {
      high = low - 1;
      low = Math.max(least, low - step);
    }
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#beginsBehind(middle, at)) high = middle - 1;
      else low = middle;
    }
    return low;
  }

  #beginsBehind(index: number, at: number): boolean {
    return (((this.#ints[4 * (index & this.#mask)] as number) - at) | 0) > 0;
  }

  /** The first byte that came at exactly this time; undefined where none did. */
  firstAt(time: number): number | undefined {
    for (const late of this.#fills) if (late.time === time) return late.start;
    const oldest = this.#count - this.size;
    let found: number | undefined;
    for (let index = this.#count - 1; index >= oldest; index -= 1) {
      const slot = index & this.#mask;
      const at = this.#doubles[2 * slot + 1] as number;
      if (at === time) found = this.#ints[4 * slot];
      else if (found !== undefined) break;
    }
    return found;
  }

  /** The last byte that was there when bytes came at exactly this time; undefined where none did. */
  lastAt(time: number): number | undefined {
    let isLate = false;
    for (const late of this.#fills) if (late.time === time) isLate = true;
    const oldest = this.#count - this.size;
    for (let index = this.#count - 1; index >= oldest; index -= 1) {
      const slot = index & this.#mask;
      const at = this.#doubles[2 * slot + 1] as number;
      // Bytes behind a hole became readable with those that filled it.
      if (at === time || (isLate && at < time)) return ((this.#ints[4 * slot + 1] as number) - 1) | 0;
    }
    return undefined;
  }

  /** The latest segment that came at a time or before. */
  lastUntil(time: number): Segment | undefined {
    const oldest = this.#count - this.size;
    for (let index = this.#count - 1; index >= oldest; index -= 1) {
      const segment = this.#segment(index);
      if (segment.time <= time) return segment;
    }
    return undefined;
  }

  /** The first segment that came at a time or later. Undefined where an earlier one may be forgotten. */
  firstSince(time: number): Segment | undefined {
    let found: Segment | undefined;
    const oldest = this.#count - this.size;
    for (let index = this.#count - 1; index >= oldest; index -= 1) {
      const segment = this.#segment(index);
      if (segment.time < time) return found;
      found = segment;
    }
    return oldest > 0 ? undefined : found;
  }

  /** How many segments came from a time to another; undefined where earlier ones of them may be forgotten. */
  countWithin(from: number, to: number): number | undefined {
    let count = 0;
    const oldest = this.#count - this.size;
    for (let index = this.#count - 1; index >= oldest; index -= 1) {
      const { time } = this.#segment(index);
      if (time < from) return count;
      if (time <= to) count += 1;
    }
    return oldest > 0 ? undefined : count;
  }

  /** The segment behind a byte, and the one before it; undefined where there is none, or it is forgotten. @param at int32 */
  firstBehind(at: number): Segment | undefined {
    const index = this.#before(at) + 1;
    return index < this.#count ? this.#segment(index) : undefined;
  }

  lastBefore(at: number): Segment | undefined {
    const index = this.#before((at - 1) | 0);
    return index >= this.#count - this.size && index >= 0 ? this.#segment(index) : undefined;
  }

  #segment(index: number): Segment {
    const slot = index & this.#mask;
    return {
      first: this.#ints[4 * slot] as number,
      last: ((this.#ints[4 * slot + 1] as number) - 1) | 0,
      time: this.#doubles[2 * slot + 1] as number,
    };
  }

  /**
   * Segments within a range that came again, and how long after their bytes were first seen the last one did.
   * @param from, to int32, both inclusive @param copyNs what comes again sooner is a copy made by the capture
   * @param until what comes later does not count, ns
   */
  repeatsWithin(from: number, to: number, copyNs: number, until = Number.POSITIVE_INFINITY): Repeats {
    if (this.#repeats.length === 0) return NO_REPEATS;
    let count = 0;
    let after = 0;
    for (const { start, end, time } of this.#repeats) {
      if (((end - from) | 0) <= 0 || ((start - to) | 0) > 0) continue;
      const first = this.firstSeen(start);
      if (first === undefined || time - first <= copyNs || time > until) continue;
      count += 1;
      after = Math.max(after, time - first);
    }
    return { count, after };
  }

  #skip(start: number, end: number): void {
    if (this.#holes.length < TRACE_REPEATS) this.#holes.push({ start, end });
    else this.#areHolesLost = true;
  }

  #push(start: number, end: number, time: number): boolean {
    const capacity = this.#mask + 1;
    if (this.#count === capacity && capacity < TRACE_MARKS) this.#grow(2 * capacity);
    const isMore = this.#count <= this.#mask;
    const slot = this.#count & this.#mask;
    this.#ints[4 * slot] = start;
    this.#ints[4 * slot + 1] = end;
    this.#doubles[2 * slot + 1] = time;
    this.#count += 1;
    return isMore;
  }

  #grow(capacity: number): void {
    const ints = new Int32Array(4 * capacity);
    ints.set(this.#ints);
    this.#ints = ints;
    this.#doubles = new Float64Array(ints.buffer);
    this.#mask = capacity - 1;
  }
}

/** What is left of a hole when a range has come: nothing, a part, or two. */
function without(hole: Bytes, { start, end }: Bytes): Bytes[] {
  const left: Bytes[] = [];
  if (((start - hole.start) | 0) > 0) left.push({ start: hole.start, end: earlier(hole.end, start) });
  if (((hole.end - end) | 0) > 0) left.push({ start: later(hole.start, end), end: hole.end });
  return left;
}

function earlier(a: number, b: number): number {
  return ((a - b) | 0) < 0 ? a : b;
}

function later(a: number, b: number): number {
  return ((a - b) | 0) > 0 ? a : b;
}
