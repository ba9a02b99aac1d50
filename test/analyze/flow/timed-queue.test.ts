import { expect, test } from 'vitest';
import { TimedQueue } from '../../../src/analyze/flow/timed-queue.ts';

test('what came is due after its time, first come, first due', () => {
  const queue = new TimedQueue<string>(100);
  expect([queue.size, queue.first, queue.due(1_000), queue.take()]).toEqual([0, undefined, undefined, undefined]);
  queue.add('a', 0);
  queue.add('b', 50);
  expect([queue.size, queue.first, queue.since]).toEqual([2, 'a', 0]);
  expect(queue.due(100)).toBeUndefined();
  expect(queue.due(101)).toBe('a');
  expect([queue.size, queue.first, queue.since]).toEqual([1, 'b', 50]);
  expect(queue.due(150)).toBeUndefined();
  expect(queue.due(Number.POSITIVE_INFINITY)).toBe('b');
  expect([queue.size, queue.since]).toEqual([0, Number.NaN]);
});

test('a time that goes back far counts as late, and one that goes back a little does not', () => {
  const queue = new TimedQueue<string>(100);
  queue.add('a', 1_000);
  expect(queue.due(900)).toBeUndefined();
  expect(queue.due(899)).toBe('a');
});

test('many things that come and go keep their order', () => {
  const queue = new TimedQueue<number>(10);
  let taken = 0;
  for (let at = 0; at < 10_000; at += 1) {
    queue.add(at, at);
    if (at % 3 === 0) continue;
    expect(queue.take()).toBe(taken);
    taken += 1;
  }
  expect(queue.size).toBe(10_000 - taken);
  for (; taken < 10_000; taken += 1) expect(queue.due(Number.POSITIVE_INFINITY)).toBe(taken);
  expect(queue.first).toBeUndefined();
});
