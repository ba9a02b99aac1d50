import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { expect, test } from 'vitest';
import { MEMORY_SHORT } from '../../../src/agent/limits.ts';
import { collectDeadBuffers } from '../../../src/agent/listener/dead-buffers.ts';

const MIB = 1024 * 1024;
const LIVE = 120;
const FRAMES = 400;

/**
 * Bytes of dead buffers at most, while frames come that each live for the time of LIVE others: as those of a slow client do,
 * longer than the young generation keeps them.
 */
async function most(available: number): Promise<number> {
  const live: Uint8Array[] = [];
  const held = () => live.reduce((sum, { length }) => sum + length, 0);
  const before = getHeapStatistics().external_memory;
  const release = collectDeadBuffers({
    available,
    get held() {
      return held();
    },
  });
  let highest = 0;
  for (let count = 0; count < FRAMES; count += 1) {
    live.push(new Uint8Array(MIB).fill(count));
    if (live.length > LIVE) live.shift();
    await sleep(5);
    highest = Math.max(highest, getHeapStatistics().external_memory - before - held());
  }
  release();
  expect(live.every((bytes, index) => bytes[0] === (FRAMES - LIVE + index) % 256)).toBe(true);
  return highest;
}

test('where memory is short dead buffers are collected before V8 would, and those in use stay', async () => {
  expect(await most(MEMORY_SHORT - 1)).toBeLessThan(48 * MIB);
});
