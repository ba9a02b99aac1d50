import { expect, test } from 'vitest';
import { STREAM_F64, StreamNumbers } from '../../../src/analyze/tcp/stream-numbers.ts';

const NUMBERS = Object.values(STREAM_F64).flatMap((field) => [field, field + 1]);
/** What a stream begins with that has not been 0 since. */
const OTHERS = new Map<number, number>(
  [0, 1].flatMap((direction) => [
    [STREAM_F64.handedAt + direction, Number.NEGATIVE_INFINITY],
    [STREAM_F64.acknowledgedFirst + direction, Number.NaN],
    [STREAM_F64.acknowledgedEarly + direction, Number.NaN],
    [STREAM_F64.answeredUntil + direction, Number.NEGATIVE_INFINITY],
    [STREAM_F64.handedClock + direction, -1],
  ]),
);
const FRESH = NUMBERS.map((at) => OTHERS.get(at) ?? 0);

const read = ({ values }: StreamNumbers, base: number) => NUMBERS.map((at) => values[base + at]);

function write({ values }: StreamNumbers, base: number, seed: number): number[] {
  const written = NUMBERS.map((at) => seed * 100 + at);
  for (const [index, at] of NUMBERS.entries()) values[base + at] = written[index] as number;
  return written;
}

test('no two numbers of a stream lie at the same place', () => {
  expect(new Set(NUMBERS).size).toBe(NUMBERS.length);
});

test('each stream has numbers of its own, and keeps them while others begin and the array grows', () => {
  const numbers = new StreamNumbers();
  const known = new Map<number, readonly number[]>();
  // In the table's order, and far behind what there is room for.
  for (const slot of [0, 1, 63, 64, 65, 127, 128, 1_000, 70_000, 2, 999, 69_999]) {
    const base = numbers.begin(slot);
    expect(read(numbers, base)).toEqual(FRESH);
    known.set(base, write(numbers, base, slot + 1));
    for (const [at, written] of known) expect(read(numbers, at)).toEqual(written);
  }
  expect(known.size).toBe(12);
});

test('a stream that begins in a slot that was used has nothing of the one before it, nor changes its neighbours', () => {
  const numbers = new StreamNumbers();
  const bases = [6, 7, 8].map((slot) => numbers.begin(slot));
  const [before, own, behind] = bases as [number, number, number];
  const written = bases.map((base, index) => write(numbers, base, index + 1));
  expect(numbers.begin(7)).toBe(own);
  expect(read(numbers, own)).toEqual(FRESH);
  expect([read(numbers, before), read(numbers, behind)]).toEqual([written[0], written[2]]);
});
