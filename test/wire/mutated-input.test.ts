import { expect, test } from 'vitest';
import { Random } from '../support/random.ts';
import { fuzz, SUBJECTS } from './mutated-input.ts';

test.each(Object.keys(SUBJECTS))('%s: whatever comes is taken or an error of ours', (name) => {
  const { taken, refused } = fuzz(name, 2_000, new Random(11));
  expect(taken).toBeGreaterThan(50);
  expect(refused).toBeGreaterThan(50);
});
