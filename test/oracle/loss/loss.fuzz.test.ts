import { expect, test } from 'vitest';
import { STATED_PERCENT } from './floors.ts';
import { NAMES, runMany } from './run.ts';

const RUNS = 10_000;
/** Other seeds than those of `npm test`. */
const FIRST_SEED = 100_000;

test.each(NAMES)(`%s: nothing is stated wrongly in ${RUNS} conversations whose packets are missing`, (name) => {
  const { wrong, whole, stated } = runMany(name, FIRST_SEED, RUNS);
  console.log(`${name}: ${stated} of ${whole} captured exchanges stated whole`);
  expect(wrong).toEqual([]);
  expect((100 * stated) / whole).toBeGreaterThan(STATED_PERCENT[name]);
});
