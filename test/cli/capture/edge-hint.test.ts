import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CaptureResult, RunningCapture } from '../../../src/capture/streams/capture.ts';
import { hintAtEdge } from '../../../src/cli/capture/edge-hint.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What is logged of a capture with so many bytes in each second. */
async function logged(rates: readonly number[], endsAfter = Number.POSITIVE_INFINITY): Promise<string[]> {
  const lines: string[] = [];
  const tally = { bytes: 500_000_000 };
  let now = 0;
  const end = Promise.withResolvers<CaptureResult>();
  const running = { tally, started: Promise.resolve(), result: end.promise } as unknown as RunningCapture;
  const hint = hintAtEdge(running, { info: (text: string) => void lines.push(text) }, () => now);
  await Promise.resolve();
  for (const [second, rate] of rates.entries()) {
    tally.bytes += rate;
    now += 1_000;
    if (second === endsAfter) {
      end.reject(new Error('ended'));
      await hint;
    }
    await vi.advanceTimersByTimeAsync(1_000);
  }
  return lines;
}

const MB = 1_000_000;

test('a rate that stays high is named once, with what avoids it', async () => {
  const lines = await logged(Array.from({ length: 30 }, () => 20 * MB));
  expect(lines).toEqual([
    '20.0 MB of packets per second come here; with --edge they are analysed on their nodes and stay there',
  ]);
});

test('a short peak, and a low rate, are not', async () => {
  expect(await logged([...[40 * MB, 0, 0, 0, 0], ...Array.from({ length: 10 }, () => 9 * MB)])).toEqual([]);
});

test('a rate that rises later is named then, and none after the end', async () => {
  const rates = [...Array.from({ length: 10 }, () => MB), ...Array.from({ length: 10 }, () => 12 * MB)];
  expect(await logged(rates)).toHaveLength(1);
  expect(await logged(rates, 3)).toEqual([]);
});
