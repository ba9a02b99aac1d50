import { expect, test } from 'vitest';
import { DirectionMarks } from '../../../src/analyze/trace/direction-marks.ts';
import { Random } from '../../support/random.ts';

/** Segments of the stream, oldest first, and what came again or late: all of it is kept. Offsets count from the first byte. */
class AllMarks {
  readonly seen = new Map<number, number>();
  readonly segments: { first: number; last: number; time: number }[] = [];
  readonly fills: { first: number; time: number }[] = [];
  readonly repeats: { first: number; last: number; time: number }[] = [];
  high = 0;

  add(first: number, length: number, time: number): void {
    const last = first + length - 1;
    const isFill = !this.seen.has(first);
    if (last >= this.high) {
      this.segments.push({ first: Math.max(first, this.high), last, time });
      this.high = last + 1;
    } else if (isFill) this.fills.push({ first, time });
    else this.repeats.push({ first, last, time });
    for (let at = first; at <= last; at += 1) if (!this.seen.has(at)) this.seen.set(at, time);
  }

  allSeen(from: number, to: number): number | undefined {
    let latest = -1;
    for (let at = from; at <= to; at += 1) latest = Math.max(latest, this.seen.get(at) ?? Number.POSITIVE_INFINITY);
    return Number.isFinite(latest) ? latest : undefined;
  }

  hasHolesUpTo(at: number): boolean {
    for (let byte = 0; byte <= Math.min(at, this.high - 1); byte += 1) if (!this.seen.has(byte)) return true;
    return false;
  }

  lastAt(time: number): number | undefined {
    const isLate = this.fills.some((fill) => fill.time === time);
    return this.segments.findLast((segment) => segment.time === time || (isLate && segment.time < time))?.last;
  }

  repeatsWithin(from: number, to: number, copyNs: number, until: number) {
    const counted = this.repeats
      .filter(({ first, last, time }) => last >= from && first <= to && time <= until)
      .map(({ first, time }) => time - (this.seen.get(first) ?? 0))
      .filter((after) => after > copyNs);
    return { count: counted.length, after: Math.max(0, ...counted) };
  }
}

/** Where the stream begins: also just before the numbers wrap, and before they change their sign. */
const ORIGINS = [0, 5000, -40, 0x7fff_ffff - 60, -0x8000_0000];

test.each(ORIGINS)(
  'a stream with holes, late segments and segments that come again, from %i on, is as one that keeps every byte',
  (origin) => {
    for (let seed = 0; seed < 12; seed += 1) {
      const random = new Random(seed);
      const marks = new DirectionMarks();
      const all = new AllMarks();
      let time = 0;
      const add = (first: number, length: number) => {
        time += random.below(3) * 10;
        const isMore = marks.add((origin + first) | 0, length, time);
        const { length: before } = all.segments;
        all.add(first, length, time);
        expect(isMore).toBe(all.segments.length > before);
      };
      add(0, 1 + random.below(12));
      for (let count = 10 + random.below(40); count > 0; count -= 1) {
        const hole = [...Array(all.high).keys()].find((at) => !all.seen.has(at)) ?? -1;
        const kind = random.below(6);
        if (kind === 0) add(all.high + 1 + random.below(9), 1 + random.below(12));
        else if (kind === 1 && hole >= 0) {
          // From anywhere in a hole to at most its end.
          let end = hole;
          while (end < all.high && !all.seen.has(end)) end += 1;
          const first = hole + random.below(end - hole);
          add(first, 1 + random.below(end - first));
        } else if (kind === 2) {
          const { first, last } = all.segments[random.below(all.segments.length)] ?? { first: 0, last: 0 };
          const from = first + random.below(last + 1 - first);
          const length = 1 + random.below(last + 1 - from);
          if (from + length <= all.high) add(from, length);
        } else if (kind === 3 && all.segments.at(-1)?.first !== undefined) {
          // The last segment again, with more behind it.
          const { first } = all.segments.at(-1) ?? { first: 0 };
          add(first, all.high - first + 1 + random.below(5));
        } else add(all.high, 1 + random.below(12));
      }
      const segment = (found: { first: number; last: number; time: number } | undefined) =>
        found && { first: (origin + found.first) | 0, last: (origin + found.last) | 0, time: found.time };
      const number = (found: number | undefined) => (found === undefined ? undefined : (origin + found) | 0);
      expect(marks.size).toBe(all.segments.length);
      for (let at = -2; at < all.high + 3; at += 1) {
        const place = (origin + at) | 0;
        expect(marks.firstSeen(place)).toBe(all.seen.get(at));
        expect(marks.hasHolesUpTo(place)).toBe(all.hasHolesUpTo(at));
        expect(marks.firstBehind(place)).toEqual(segment(all.segments.find(({ first }) => first > at)));
        expect(marks.lastBefore(place)).toEqual(segment(all.segments.findLast(({ first }) => first < at)));
        const to = at + random.below(30);
        expect(marks.allSeen(place, (origin + to) | 0)).toBe(all.allSeen(at, to));
        const [copyNs, until] = [random.below(40), random.below(2) === 0 ? time / 2 : Number.POSITIVE_INFINITY];
        const repeats = marks.repeatsWithin(place, (origin + to) | 0, copyNs, until);
        expect(repeats).toEqual(all.repeatsWithin(at, to, copyNs, until));
      }
      for (let when = -10; when <= time + 10; when += 10) {
        const late = all.fills.find((fill) => fill.time === when);
        const inTime = all.segments.filter((one) => one.time === when);
        expect(marks.firstAt(when)).toBe(number((late ?? inTime[0])?.first));
        expect(marks.lastAt(when)).toBe(number(all.lastAt(when)));
        expect(marks.lastUntil(when)).toEqual(segment(all.segments.findLast((one) => one.time <= when)));
        expect(marks.firstSince(when)).toEqual(segment(all.segments.find((one) => one.time >= when)));
        const to = when + 10 * random.below(8);
        expect(marks.countWithin(when, to)).toBe(
          all.segments.filter((one) => one.time >= when && one.time <= to).length,
        );
      }
    }
  },
);

test('what needs segments that were forgotten is not known, and what does not is', () => {
  const marks = new DirectionMarks();
  const [kept, forgotten] = [512, 88];
  for (let index = 0; index < kept + forgotten; index += 1) {
    expect(marks.add(index * 10, 10, index * 5)).toBe(index < kept);
    expect(marks.size).toBe(Math.min(index + 1, kept));
  }
  const oldest = { first: forgotten * 10, last: forgotten * 10 + 9, time: forgotten * 5 };
  const second = { first: oldest.first + 10, last: oldest.last + 10, time: oldest.time + 5 };
  expect(marks.lastBefore(oldest.first)).toBeUndefined();
  expect(marks.lastBefore(oldest.first + 1)).toEqual(oldest);
  expect(marks.firstBehind(oldest.first - 1)).toEqual(oldest);
  expect(marks.firstBehind(oldest.first)).toEqual(second);
  expect(marks.firstSeen(oldest.first)).toBe(oldest.time);
  expect(marks.firstSeen(oldest.first - 1)).toBeUndefined();
  expect(marks.lastUntil(oldest.time)).toEqual(oldest);
  expect(marks.lastUntil(oldest.time - 1)).toBeUndefined();
  // An earlier one of the same time may be forgotten.
  expect(marks.firstSince(oldest.time)).toBeUndefined();
  expect(marks.firstSince(oldest.time + 1)).toEqual(second);
  expect(marks.countWithin(oldest.time, second.time)).toBeUndefined();
  expect(marks.countWithin(second.time, second.time + 5)).toBe(2);
  expect(marks.firstAt(oldest.time)).toBe(oldest.first);
  expect(marks.lastAt(oldest.time)).toBe(oldest.last);
  expect(marks.firstAt(oldest.time - 5)).toBeUndefined();
});

test('of what came again and of holes the latest 64 are remembered', () => {
  const again = new DirectionMarks();
  again.add(0, 10, 0);
  for (let index = 1; index <= 65; index += 1) {
    again.add(0, 10, index * 100);
    expect(again.repeatsWithin(0, 9, 0)).toEqual({ count: Math.min(index, 64), after: index * 100 });
  }
  expect(again.repeatsWithin(0, 9, 0, 200)).toEqual({ count: 1, after: 200 });
  const holes = new DirectionMarks();
  for (let index = 0; index <= 64; index += 1) holes.add(index * 20, 10, index);
  expect(holes.hasHolesUpTo(0)).toBe(false);
  holes.add(65 * 20, 10, 65);
  expect(holes.hasHolesUpTo(0)).toBe(true);
});

test('changes are segments behind a hole, that come again, or late', () => {
  const marks = new DirectionMarks();
  const changes = [
    [0, 10, 0],
    [10, 10, 0],
    [30, 10, 1],
    [40, 10, 1],
    [0, 10, 2],
    [20, 10, 3],
    [45, 10, 3],
  ].map(([first = 0, length = 0, count]) => {
    marks.add(first, length, 1);
    return marks.changes === count;
  });
  expect(changes).toEqual(changes.map(() => true));
});
