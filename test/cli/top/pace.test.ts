import { expect, test } from 'vitest';
import { Pace } from '../../../src/cli/top/pace.ts';

test('what is before the beginning passes at once, what is later when its time has come', async () => {
  const pace = new Pace(1e9, () => false);
  const { signal } = new AbortController();
  const began = performance.now();
  await pace.until(0.9e9, signal);
  expect(performance.now() - began).toBeLessThan(150);
  await pace.until(1.3e9, signal);
  expect(performance.now() - began).toBeGreaterThan(290);
});

test('while time stands still nothing passes, and none of it is made up for', async () => {
  let holds = true;
  const pace = new Pace(0, () => holds);
  const { signal } = new AbortController();
  const began = performance.now();
  setTimeout(() => {
    holds = false;
  }, 400);
  await pace.until(0.2e9, signal);
  expect(performance.now() - began).toBeGreaterThan(550);
});

test('nobody waits who was told to stop', async () => {
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 50);
  await new Pace(0, () => false).until(3600e9, abort.signal);
});
