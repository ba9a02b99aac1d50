import { expect, test } from 'vitest';
import { Backoff } from '../../src/wire/backoff.ts';

const waits = (backoff: Backoff, count: number) => Array.from({ length: count }, () => backoff.next());

test('waits double up to the longest', () => {
  expect(waits(new Backoff(100, 500), 5)).toEqual([100, 200, 400, 500, 500]);
});

test('after a success the first wait is the first again', () => {
  const backoff = new Backoff(100, 10_000);
  waits(backoff, 4);
  backoff.reset();
  expect(waits(backoff, 2)).toEqual([100, 200]);
});

test('waits are spread from half to one and a half, and the spread does not add up', () => {
  expect(waits(new Backoff(100, 400, () => 0), 4)).toEqual([50, 100, 200, 200]);
  expect(waits(new Backoff(100, 400, () => 1), 4)).toEqual([150, 300, 600, 600]);
});
