import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { expect, test } from 'vitest';
import { boundBuffers } from '../../../src/cli/capture/bound-buffers.ts';

const MEGABYTE = 1_000_000;

/** Bytes outside the heap at most while 60 MB of buffers come and go: V8 itself collects when there are 64 MiB more. */
async function most(): Promise<number> {
  const external = () => getHeapStatistics().external_memory;
  const before = external();
  let highest = 0;
  for (let count = 0; count < 60; count += 1) {
    Buffer.allocUnsafeSlow(MEGABYTE).fill(1);
    await sleep(10);
    highest = Math.max(highest, external() - before);
  }
  return highest;
}

test('buffers that nobody holds do not pile up, those that are held stay', async () => {
  const held = Buffer.alloc(8 * MEGABYTE, 1);
  const release = boundBuffers();
  expect(await most()).toBeLessThan(45 * MEGABYTE);
  release();
  expect(held.every((byte) => byte === 1)).toBe(true);
});
