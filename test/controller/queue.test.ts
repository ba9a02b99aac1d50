import { expect, test, vi } from 'vitest';
import { WorkQueue } from '../../src/controller/queue.ts';

const times = { settleMs: 1, firstMs: 5, lastMs: 20 };

test('a key that is asked for often is worked on once, and never twice at a time', async () => {
  let now = 0;
  let most = 0;
  const seen: string[] = [];
  const queue = new WorkQueue(
    async (key) => {
      now += 1;
      most = Math.max(most, now);
      seen.push(key);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return undefined;
    },
    { workers: 2, times },
  );
  for (let index = 0; index < 100; index++) queue.add('a');
  for (const key of ['b', 'c', 'd', 'e']) queue.add(key);
  await vi.waitFor(() => expect(queue.size).toBe(0), { timeout: 60_000 });
  expect(seen.sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(most).toBeLessThanOrEqual(2);
  await queue.close();
});

test('a key that is asked for while it is worked on is worked on again', async () => {
  let runs = 0;
  const queue: WorkQueue = new WorkQueue(
    async (key) => {
      runs += 1;
      if (runs === 1) queue.add(key);
      return undefined;
    },
    { workers: 1, times },
  );
  queue.add('a');
  await vi.waitFor(() => expect(queue.size).toBe(0), { timeout: 60_000 });
  expect(runs).toBe(2);
  await queue.close();
});

test('work that fails is done again, and work that asks for it comes later', async () => {
  let runs = 0;
  const queue = new WorkQueue(
    async () => {
      runs += 1;
      if (runs < 4) throw new Error('not now');
      return runs === 4 ? 3 : undefined;
    },
    { workers: 1, times },
  );
  queue.add('a');
  await vi.waitFor(() => expect(queue.size).toBe(0), { timeout: 60_000 });
  expect(runs).toBe(5);
  await queue.close();
});

test('a queue that was closed works on nothing more', async () => {
  const work = vi.fn(async () => undefined);
  const queue = new WorkQueue(work, { workers: 1, times: { ...times, settleMs: 5 } });
  queue.add('a');
  await queue.close();
  queue.add('b');
  expect(queue.size).toBe(0);
  expect(work).not.toHaveBeenCalled();
});
