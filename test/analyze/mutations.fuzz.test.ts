import { expect, test } from 'vitest';
import { mutate } from './mutations.ts';

/** In all, over rounds with seeds of their own. */
const MUTATIONS = 1_000_000;
const ROUND = 50_000;

test.each(Array.from({ length: MUTATIONS / ROUND }, (_, round) => round + 100))(
  `${ROUND} mutated captures, seed %i: no exception, no hang, no memory kept`,
  (seed) => {
    const { packets, events } = mutate(ROUND, seed);
    const { rss } = process.memoryUsage();
    console.log(`seed ${seed}: ${packets} packets, ${events} events, ${Math.round(rss / 1e6)} MB`);
    expect(rss).toBeLessThan(1_500e6);
  },
  1_800_000,
);
