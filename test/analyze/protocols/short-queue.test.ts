import { expect, test } from 'vitest';
import { ShortQueue } from '../../../src/analyze/protocols/short-queue.ts';
import { Random } from '../../support/random.ts';

/** All that a queue shows of what it holds. */
function shown(queue: ShortQueue<number>): unknown {
  const { length, first, last } = queue;
  return { length, first, last, items: Array.from({ length: length + 2 }, (_, index) => queue.at(index)) };
}

test('holds nothing, one item, several, and one again, as an array does', () => {
  const random = new Random(7);
  const queue = new ShortQueue<number>();
  const items: number[] = [];
  let longest = 0;
  for (let step = 0; step < 2_000; step += 1) {
    // Long runs of both, so that it is empty now and then, and long.
    if (random.below(10) < (step % 200 < 100 ? 7 : 3)) {
      queue.push(step);
      items.push(step);
    } else expect(queue.shift()).toBe(items.shift());
    longest = Math.max(longest, items.length);
    expect(shown(queue)).toEqual({
      length: items.length,
      first: items[0],
      last: items.at(-1),
      items: [...items, undefined, undefined],
    });
  }
  expect(longest).toBeGreaterThan(20);
});

test('an empty one gives nothing, however often it is asked', () => {
  const queue = new ShortQueue<number>();
  expect([queue.shift(), queue.shift(), queue.first, queue.last, queue.at(0), queue.at(1)]).toEqual(
    Array(6).fill(undefined),
  );
  queue.push(1);
  queue.push(2);
  expect([queue.shift(), queue.shift(), queue.shift()]).toEqual([1, 2, undefined]);
  queue.push(3);
  expect(shown(queue)).toEqual({ length: 1, first: 3, last: 3, items: [3, undefined, undefined] });
});
