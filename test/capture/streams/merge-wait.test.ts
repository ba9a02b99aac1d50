import { expect, test } from 'vitest';
import { MergeWait } from '../../../src/capture/streams/merge-wait.ts';

test('the wait is twice what was needed, not less and not more than its bounds', () => {
  const wait = new MergeWait(250, 2_000);
  expect(wait.at(0)).toBe(250);
  for (const [needed, is] of [
    [100, 250],
    [200, 400],
    [150, 400],
    [900, 1_800],
    [5_000, 2_000],
  ] as const) {
    wait.needed(needed, 1_000);
    expect(wait.at(1_000)).toBe(is);
  }
});

test('it becomes shorter when less was needed for a while, and what was needed lately counts', () => {
  const wait = new MergeWait(250, 2_000);
  wait.needed(900, 1_000);
  expect(wait.at(60_999)).toBe(1_800);
  wait.needed(300, 62_000);
  expect(wait.at(62_000)).toBe(1_800);
  expect(wait.at(122_001)).toBe(600);
  expect(wait.at(183_000)).toBe(250);
  // A long time without a packet is as good.
  wait.needed(900, 240_000);
  expect(wait.at(400_000)).toBe(250);
  wait.needed(200, 900_000);
  expect(wait.at(900_000)).toBe(400);
});

test('without a larger bound it stays as it is', () => {
  const wait = new MergeWait(250);
  wait.needed(900, 1_000);
  expect(wait.at(1_000)).toBe(250);
});
