import { expect, test } from 'vitest';
import { OUT_OF_ORDER_BYTES, OUT_OF_ORDER_SEGMENTS } from '../../../src/analyze/limits.ts';
import { type HeldSegment, HeldSegments, Waiting } from '../../../src/analyze/tcp/held-segments.ts';

const carrier = { acknowledgment: 0, hasAcknowledgment: true, clock: 0, isLate: false, isCrossing: false };
/** @param kept bytes that the capture kept of it */
const segment = (sequence: number, length: number, kept = length): HeldSegment => ({
  ...carrier,
  sequence: sequence | 0,
  length,
  captured: kept,
  bytes: new Uint8Array(kept),
  time: 0,
});
const sequences = (held: HeldSegments) => held.segments.map(({ sequence }) => sequence);

test('segments stand in the order of their numbers, across the end of these too', () => {
  const held = new HeldSegments();
  const start = 0x7fff_fff0;
  for (const ahead of [20, 0, 30, 10]) held.add(segment(start + ahead, 10));
  expect(sequences(held)).toEqual([0, 10, 20, 30].map((ahead) => (start + ahead) | 0));
  expect(held.first?.sequence).toBe(start);
  expect(held.after(start)?.sequence).toBe(start + 10);
  expect(held.after((start + 29) | 0)?.sequence).toBe((start + 30) | 0);
  expect(held.after((start + 30) | 0)).toBeUndefined();
  expect(held.bytes).toBe(40);
});

test('of the same bytes the longer segment is kept', () => {
  const held = new HeldSegments();
  held.add(segment(100, 10));
  held.add(segment(100, 10));
  held.add(segment(100, 5));
  expect([held.bytes, held.segments.length]).toEqual([10, 1]);
  held.add(segment(100, 12));
  expect(held.segments.map(({ length }) => length)).toEqual([10, 12]);
  expect(held.bytes).toBe(22);
});

test('the one that holds a byte is found, and taken out', () => {
  const held = new HeldSegments();
  for (const sequence of [100, 110, 130]) held.add(segment(sequence, 10));
  expect([99, 100, 109, 110, 119, 120, 139, 140].map((at) => held.at(at)?.sequence)).toEqual([
    undefined,
    100,
    100,
    110,
    110,
    undefined,
    130,
    undefined,
  ]);
  expect(held.takeAt(120)).toBeUndefined();
  expect(held.takeAt(115)?.sequence).toBe(110);
  expect([held.bytes, sequences(held)]).toEqual([20, [100, 130]]);
  expect(held.shift()?.sequence).toBe(100);
  expect([held.bytes, sequences(held)]).toEqual([10, [130]]);
  expect(held.takeAll()).toHaveLength(1);
  expect([held.bytes, held.shift(), held.first]).toEqual([0, undefined, undefined]);
});

test('what has been handed on is dropped: only whole segments, and the bytes that are kept count', () => {
  const held = new HeldSegments();
  for (const sequence of [100, 110, 120]) held.add(segment(sequence, 10, 4));
  expect(held.dropUntil(109)).toBe(0);
  expect(held.dropUntil(110)).toBe(4);
  expect(held.dropUntil(125)).toBe(4);
  expect([held.bytes, sequences(held)]).toEqual([4, [120]]);
});

test('they are bounded by bytes and by number', () => {
  const long = new HeldSegments();
  const length = OUT_OF_ORDER_BYTES / 4;
  expect([0, 1, 2, 3].map((index) => long.add(segment(index * length, length)))).toEqual([true, true, true, false]);
  const many = new HeldSegments();
  for (let index = 1; index < OUT_OF_ORDER_SEGMENTS; index += 1) expect(many.add(segment(2 * index, 1))).toBe(true);
  expect(many.add(segment(0, 1))).toBe(false);
});

test('a connection waits for nothing when no segment is held and nothing that is missing was acknowledged', () => {
  const waiting = new Waiting();
  expect(waiting.isEmpty).toBe(true);
  for (const direction of [0, 1] as const) {
    waiting.segments[direction].add(segment(1, 1));
    expect(waiting.isEmpty).toBe(false);
    waiting.segments[direction].takeAll();
    waiting.acknowledgedAt[direction] = 5;
    expect(waiting.isEmpty).toBe(false);
    waiting.acknowledgedAt[direction] = Number.NaN;
  }
  expect(waiting.isEmpty).toBe(true);
});
