import { expect, test } from 'vitest';
import { Random } from '../support/random.ts';
import { fuzz, SUBJECTS } from './mutated-input.ts';

/** Of all subjects together. */
const INPUTS = 1_000_000;
const ROUNDS = 10;

test.each(Object.keys(SUBJECTS))('%s: a quarter of a million inputs, no other error, and memory is flat', (name) => {
  const each = INPUTS / Object.keys(SUBJECTS).length / ROUNDS;
  const memory: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    fuzz(name, each, new Random(1_000 + round));
    memory.push(process.memoryUsage().rss);
  }
  const [, , settled = 0] = memory;
  console.log(`${name}: ${memory.map((bytes) => Math.round(bytes / 1e6)).join(' ')} MB`);
  expect(memory.at(-1)).toBeLessThan(settled + 300e6);
});
