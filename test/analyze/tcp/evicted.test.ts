import { expect, test } from 'vitest';
import { EVICTED, EvictedConnections } from '../../../src/analyze/tcp/evicted.ts';

test('a connection that was evicted is known once, with whether an exchange was given up', () => {
  const evicted = new EvictedConnections();
  expect(evicted.take(7)).toBe(EVICTED.no);
  evicted.remember(7, false);
  evicted.remember(-8, true);
  expect(evicted.take(-8)).toBe(EVICTED.pending);
  expect(evicted.take(-8)).toBe(EVICTED.no);
  evicted.remember(7, true);
  expect(evicted.take(7)).toBe(EVICTED.pending);
  expect(evicted.take(7)).toBe(EVICTED.no);
});

test('a million are remembered, nearly all of them', () => {
  const evicted = new EvictedConnections();
  const key = (index: number) => Math.imul(index, 0x9e3779b1) | 0;
  for (let index = 0; index < 1_000_000; index += 1) evicted.remember(key(index), index % 2 === 0);
  let known = 0;
  let right = 0;
  for (let index = 0; index < 1_000_000; index += 1) {
    const found = evicted.take(key(index));
    if (found !== EVICTED.no) known += 1;
    if (found === (index % 2 === 0 ? EVICTED.pending : EVICTED.idle)) right += 1;
  }
  expect(known).toBeGreaterThan(990_000);
  expect(right).toBeGreaterThan(990_000);
});
