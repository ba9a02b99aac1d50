import { expect, test } from 'vitest';
import { STATED_PERCENT } from './floors.ts';
import { NAMES, runMany } from './run.ts';

const RUNS = 150;

test.each(NAMES)('%s: nothing is stated wrongly of conversations whose packets are missing', (name) => {
  const { wrong, whole, stated } = runMany(name, 1, RUNS);
  expect(wrong).toEqual([]);
  expect((100 * stated) / whole).toBeGreaterThan(STATED_PERCENT[name]);
});
