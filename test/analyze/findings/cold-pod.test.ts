import { expect, test } from 'vitest';
import { codesOf, Judged } from '../../support/found-in.ts';

/** Two pods of a Service; the second one comes later and takes another time. */
function served(
  joinsMs: number,
  tookMs: number,
  { requests = 12, everyMs = 4000, usualMs = 10, siblings = 30, waitMs = 0 } = {},
): string[] {
  const judged = new Judged();
  judged.names.addRecord('10.0.0.2', ['shop/web-1', 'web.shop']);
  judged.names.addRecord('10.0.0.3', ['shop/web-2', 'web.shop']);
  const old = judged.flow(1, 2);
  const cold = judged.flow(1, 3);
  for (let index = 0; index < siblings; index += 1) judged.exchange(old, index * 1000, usualMs);
  if (waitMs > 0) judged.exchange(cold, joinsMs, usualMs);
  for (let index = 0; index < requests; index += 1) judged.exchange(cold, joinsMs + waitMs + index * everyMs, tookMs);
  return codesOf(judged.found);
}

test('a pod that comes later and is slow at first is cold', () => {
  expect(served(20_000, 80)).toEqual(['COLD_POD']);
});

test('a pod that was there from the beginning, is as fast, or had few requests is not', () => {
  expect(served(0, 100)).toEqual([]);
  expect(served(20_000, 25)).toEqual([]);
  expect(served(20_000, 100, { requests: 9 })).toEqual([]);
  expect(served(5000, 100)).toEqual([]);
  expect(served(20_000, 100, { siblings: 12 })).toEqual([]);
  expect(served(20_000, 100, { usualMs: 40 })).toEqual([]);
  expect(served(20_000, 40)).toEqual([]);
});

test('what is slow after the first minute is not cold', () => {
  expect(served(20_000, 100, { waitMs: 70_000, everyMs: 100, requests: 40 })).toEqual([]);
});
