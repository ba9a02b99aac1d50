import { expect, test } from 'vitest';
import { Ring } from '../../../src/cli/top/ring.ts';

function filled(capacity: number, count: number): Ring<number> {
  const ring = new Ring<number>(capacity);
  for (let number = 0; number < count; number += 1) ring.push(number);
  return ring;
}

test('the last are kept under the numbers they came with', () => {
  const ring = filled(4, 10);
  expect([ring.first, ring.end]).toEqual([6, 10]);
  expect([...ring]).toEqual([6, 7, 8, 9]);
  expect(ring.at(5)).toBe(undefined);
  expect(ring.at(10)).toBe(undefined);
});

test('a ring that is to keep fewer lets the oldest go, and grows again with what comes', () => {
  const ring = filled(4, 10);
  ring.keepAtMost(2);
  expect([...ring]).toEqual([8, 9]);
  ring.push(10);
  expect([...ring]).toEqual([9, 10]);
  ring.keepAtMost(100);
  for (const number of [11, 12, 13, 14]) ring.push(number);
  expect([...ring]).toEqual([11, 12, 13, 14]);
});

test('a copy stays as it is', () => {
  const ring = filled(4, 10);
  const copy = ring.copy();
  ring.push(10);
  expect([...copy]).toEqual([6, 7, 8, 9]);
});
