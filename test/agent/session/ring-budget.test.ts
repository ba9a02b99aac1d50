import { expect, test } from 'vitest';
import { RING_MAXIMUM_KIB, RING_MINIMUM_KIB, RINGS_OF_ALL_KIB } from '../../../src/agent/limits.ts';
import { RingBudget } from '../../../src/agent/session/ring-budget.ts';

test('few rings are as large as they want to be; of many, later ones are smaller, and all together are bounded', () => {
  const budget = new RingBudget();
  const rings = Array.from({ length: 128 }, () => budget.take(RING_MAXIMUM_KIB));
  expect(rings.slice(0, 16)).toEqual(new Array(16).fill(RING_MAXIMUM_KIB));
  expect(rings.at(-1)).toBe(RING_MINIMUM_KIB);
  expect(rings.reduce((sum, ring) => sum + ring, 0)).toBeLessThan(RINGS_OF_ALL_KIB * 1.2);
  for (const ring of rings) budget.give(ring);
  expect(budget.take(RING_MAXIMUM_KIB)).toBe(RING_MAXIMUM_KIB);
});
