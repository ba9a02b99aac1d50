import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CaptureResult } from '../../../src/capture/streams/capture.ts';
import { rateAtFirst } from '../../../src/cli/capture/edge-switch.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MB = 1_000_000;

/** The rate of a capture of which so many bytes come in each quarter of a second. */
async function found(
  quarters: readonly number[],
  { endsAfter, stopsAfter }: { readonly endsAfter?: number; readonly stopsAfter?: number } = {},
): Promise<number | undefined> {
  let now = 0;
  const end = Promise.withResolvers<CaptureResult>();
  const running = { received: 7 * MB, isStopping: false, started: Promise.resolve(), result: end.promise };
  const rate = rateAtFirst(running, () => now);
  for (const [index, bytes] of quarters.entries()) {
    await vi.advanceTimersByTimeAsync(1);
    if (index === stopsAfter) running.isStopping = true;
    if (index === endsAfter) end.reject(new Error('ended'));
    running.received += bytes;
    now += 250;
    await vi.advanceTimersByTimeAsync(249);
  }
  end.reject(new Error('ended'));
  return rate;
}

test('a rate that is high at first is found after a second', async () => {
  expect(await found(Array.from({ length: 20 }, () => 5 * MB))).toBe(20 * MB);
  expect(
    await found([...Array.from({ length: 6 }, () => 0), ...Array.from({ length: 6 }, () => 4 * MB)]),
  ).toBeGreaterThan(10 * MB);
});

test('a low rate is not, and none that rises later', async () => {
  expect(await found(Array.from({ length: 20 }, () => 2 * MB))).toBeUndefined();
  expect(
    await found([...Array.from({ length: 14 }, () => 0), ...Array.from({ length: 20 }, () => 9 * MB)]),
  ).toBeUndefined();
});

test('a capture that has ended is looked at no more', async () => {
  expect(
    await found(
      Array.from({ length: 20 }, () => 5 * MB),
      { endsAfter: 2 },
    ),
  ).toBeUndefined();
  expect(
    await found(
      Array.from({ length: 20 }, () => 5 * MB),
      { stopsAfter: 2 },
    ),
  ).toBeUndefined();
});
