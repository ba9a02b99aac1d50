import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { BatchQueue } from '../../../src/agent/spool/batch-queue.ts';
import { DiskBudget } from '../../../src/agent/spool/disk-budget.ts';
import { SpoolFile } from '../../../src/agent/spool/spool-file.ts';
import { BATCH_BYTES, Batches } from '../../../src/wire/batches.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-queue-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('batches that come back from the disk use memory again that was freed on the way there', async () => {
  const spares: ArrayBuffer[] = [];
  const batches = new Batches(16, spares);
  const file = new SpoolFile(directory, new DiskBudget(64 * BATCH_BYTES, 64 * BATCH_BYTES));
  const failed = vi.fn();
  const freed = (bytes: Buffer<ArrayBuffer>) => batches.reuse(bytes);
  const queue = new BatchQueue(file, 0, { freed, empty: () => batches.empty(), failed });
  for (let number = 1; number <= 8; number += 1) {
    batches.bytes.fill(number);
    batches.filled = BATCH_BYTES - number;
    queue.push(batches.cut());
  }
  await vi.waitUntil(() => queue.inMemory === 0);
  const known = new Set(spares);
  for (let number = 1; number <= 8; number += 1) {
    const bytes = (await queue.shift()) as Buffer<ArrayBuffer>;
    expect(bytes.length).toBe(BATCH_BYTES - number);
    expect(bytes.every((byte) => byte === number)).toBe(true);
    expect(known.has(bytes.buffer)).toBe(true);
    batches.reuse(bytes);
  }
  expect(failed).not.toHaveBeenCalled();
  queue.clear();
});
