import { expect, test } from 'vitest';
import { TRACE_MARKS } from '../../../src/analyze/limits.ts';
import { DirectionMarks } from '../../../src/analyze/trace/direction-marks.ts';

test('bytes have the time at which they were first seen, also past the end of the numbers', () => {
  const marks = new DirectionMarks();
  const start = 0xffff_fff0 | 0;
  marks.add(start, 10, 1);
  marks.add((start + 10) | 0, 20, 2);
  expect(marks.firstSeen(start)).toBe(1);
  expect(marks.firstSeen((start + 9) | 0)).toBe(1);
  expect(marks.firstSeen((start + 10) | 0)).toBe(2);
  expect(marks.firstSeen((start + 29) | 0)).toBe(2);
  expect(marks.firstSeen((start + 30) | 0)).toBeUndefined();
  expect(marks.firstSeen((start - 1) | 0)).toBeUndefined();
});

test('what was skipped has no time until it comes, and then that one', () => {
  const marks = new DirectionMarks();
  marks.add(0, 10, 1);
  marks.add(20, 10, 3);
  expect(marks.firstSeen(15)).toBeUndefined();
  marks.add(10, 10, 200);
  expect(marks.firstSeen(15)).toBe(200);
  expect(marks.firstSeen(25)).toBe(3);
  // What came with the late bytes ends with what had waited behind them.
  expect(marks.firstAt(200)).toBe(10);
  expect(marks.lastAt(200)).toBe(29);
});

test('only what comes again later than a copy would is counted', () => {
  const marks = new DirectionMarks();
  marks.add(0, 10, 0);
  marks.add(0, 10, 2);
  marks.add(0, 10, 500);
  expect(marks.repeatsWithin(0, 9, 3)).toEqual({ count: 1, after: 500 });
  expect(marks.repeatsWithin(10, 19, 3)).toEqual({ count: 0, after: 0 });
});

test('of more segments than are remembered the oldest have no time, not a wrong one', () => {
  const marks = new DirectionMarks();
  for (let index = 0; index < 2000; index += 1) marks.add(index * 10, 10, index);
  expect(marks.firstSeen(0)).toBeUndefined();
  expect(marks.firstSeen(19_990)).toBe(1999);
  marks.add(0, 10, 5000);
  expect(marks.firstSeen(0)).toBeUndefined();
  expect(marks.size).toBe(512);
});

test('a range was seen when its last missing part was, and not while one is missing', () => {
  const marks = new DirectionMarks();
  marks.add(10, 10, 1);
  marks.add(30, 10, 3);
  expect(marks.allSeen(10, 19)).toBe(1);
  expect(marks.allSeen(10, 39)).toBeUndefined();
  expect(marks.hasHolesUpTo(39)).toBe(true);
  marks.add(20, 10, 200);
  expect(marks.allSeen(10, 39)).toBe(200);
  expect(marks.allSeen(30, 39)).toBe(3);
  expect(marks.hasHolesUpTo(39)).toBe(false);
  // The first segment of a connection may come second.
  marks.add(0, 10, 300);
  expect(marks.firstSeen(0)).toBe(300);
});

test('of a range whose beginning is forgotten the rest counts', () => {
  const marks = new DirectionMarks();
  for (let index = 0; index < 2000; index += 1) marks.add(index * 10, 10, index);
  expect(marks.allSeen(0, 19_999)).toBe(1999);
  expect(marks.allSeen(0, 20_000)).toBeUndefined();
});

test('a hole counts for what is behind it until all of it has come', () => {
  const marks = new DirectionMarks();
  const start = 0xffff_ffe0 | 0;
  marks.add(start, 10, 1);
  marks.add((start + 40) | 0, 10, 2);
  expect(marks.hasHolesUpTo((start + 9) | 0)).toBe(false);
  expect(marks.hasHolesUpTo((start + 49) | 0)).toBe(true);
  marks.add((start + 20) | 0, 10, 3);
  expect(marks.hasHolesUpTo((start + 29) | 0)).toBe(true);
  marks.add((start + 10) | 0, 10, 4);
  expect(marks.hasHolesUpTo((start + 29) | 0)).toBe(false);
  expect(marks.hasHolesUpTo((start + 30) | 0)).toBe(true);
  marks.add((start + 30) | 0, 10, 5);
  expect(marks.hasHolesUpTo((start + 49) | 0)).toBe(false);
});

test('of more holes than are remembered it is said that there is one', () => {
  const marks = new DirectionMarks();
  for (let index = 0; index < 100; index += 1) marks.add(index * 20, 10, index);
  expect(marks.hasHolesUpTo(0)).toBe(true);
});

test('once a single segment was forgotten, nothing is known of what is older than the others', () => {
  const marks = new DirectionMarks();
  for (let index = 0; index < TRACE_MARKS; index += 1) marks.add(index * 10, 10, index);
  marks.add(0, 10, 5000);
  expect(marks.repeatsWithin(0, 9, 3)).toEqual({ count: 1, after: 5000 });
  marks.add(TRACE_MARKS * 10, 10, 6000);
  const { changes } = marks;
  marks.add(0, 10, 7000);
  expect(marks.changes).toBe(changes);
  expect(marks.firstSeen(5)).toBeUndefined();
});
