import { expect, test } from 'vitest';
import { STATED_PERCENT } from './floors.ts';
import { NAMES, runMany, SCENARIOS } from './run.ts';

const RUNS = 10_000;
/** Of each other scenario. */
const SCENARIO_RUNS = 2_000;
/** Other seeds than those of `npm test`. */
const FIRST_SEED = 100_000;

test.each(NAMES)(`%s: nothing is stated wrongly in ${RUNS} conversations whose packets are missing`, (name) => {
  const { wrong, whole, stated } = runMany(name, FIRST_SEED, RUNS);
  console.log(`${name}: ${stated} of ${whole} captured exchanges stated whole`);
  expect(wrong).toEqual([]);
  expect((100 * stated) / whole).toBeGreaterThan(STATED_PERCENT[name]);
});

const OTHERS = SCENARIOS.filter((scenario) => scenario !== 'capture');

test.each(NAMES.flatMap((name) => OTHERS.map((scenario) => [name, scenario] as const)))(
  `%s, %s: nothing is stated wrongly in ${SCENARIO_RUNS} conversations`,
  (name, scenario) => {
    expect(runMany(name, FIRST_SEED, SCENARIO_RUNS, scenario).wrong).toEqual([]);
  },
);
