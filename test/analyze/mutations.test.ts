import { expect, test } from 'vitest';
import { mutate } from './mutations.ts';

const MUTATIONS = 4_000;

test(`${MUTATIONS} mutated captures: no exception, no hang`, () => {
  const { packets, events, slowest } = mutate(MUTATIONS, 1);
  console.log(`${packets} packets, ${events} events; the slowest mutation took ${slowest.toFixed(0)} ms`);
  expect(slowest).toBeLessThan(5_000);
}, 120_000);
