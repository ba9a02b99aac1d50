import { expect, test } from 'vitest';
import { BUSY_FOR_MS, BUSY_PACKETS, REORDER_PACKETS } from '../../../src/capture/limits.ts';
import { InterfaceQueue } from '../../../src/capture/streams/interface-queue.ts';
import { BLOCK } from '../../../src/wire/pcapng.ts';
import { Random } from '../../support/random.ts';

const SEED = 3;

interface Block {
  readonly time: number;
  readonly arrival: number;
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly length: number;
}

function head(queue: InterfaceQueue): Block {
  const { headTime: time, headArrival: arrival, headBytes: bytes, headOffset: offset, headLength: length } = queue;
  return { time, arrival, bytes, offset, length };
}

/** Behind the last one that is not later: what the queue does in place, said in one line. */
function insert(blocks: Block[], block: Block): void {
  const place = blocks.findLastIndex(({ time }) => time <= block.time) + 1;
  blocks.splice(place, 0, block);
}

test('a queue is a list in order of time and, for one time, of arrival, through growth and wrapping', () => {
  const random = new Random(SEED);
  for (let round = 0; round < 20; round += 1) {
    const queue = new InterfaceQueue(round);
    const model: Block[] = [];
    // Rounds that mostly grow, mostly stay, and mostly drain.
    const pushes = 4 + (round % 3);
    for (let step = 0; step < 1_500; step += 1) {
      if (random.below(10) < pushes) {
        const bytes = Uint8Array.of(step & 0xff);
        const time = step - random.below(8);
        const block = { time, arrival: step, bytes, offset: random.below(1_000), length: random.below(1_000) };
        insert(model, block);
        queue.push(block.time, block.arrival, block.bytes, block.offset, block.length, 6);
      } else if (model.length > 0) {
        queue.shift();
        model.shift();
      }
      expect(queue.size).toBe(model.length);
      if (model.length === 0) continue;
      expect(head(queue)).toEqual(model[0]);
      expect(queue.tailTime).toBe(model.at(-1)?.time);
    }
    for (const expected of model) {
      expect(head(queue)).toEqual(expected);
      queue.shift();
    }
    expect(queue.size).toBe(0);
  }
});

test('after a clock was set back blocks stay as they came, at once and none lost', () => {
  const queue = new InterfaceQueue(0);
  const count = 200_000;
  const begun = process.cpuUsage();
  for (let index = 0; index < count; index += 1) queue.push(1e9 + index, 0, new Uint8Array(0), 0, 0, 6);
  // Still overtaken only: it goes to its place.
  queue.push(1e9 + count - REORDER_PACKETS + 1.5, 0, new Uint8Array(0), 0, 0, 6);
  for (let index = 0; index < count; index += 1) queue.push(index, 0, new Uint8Array(0), 0, 0, 6);
  // Moving each of them would take minutes of the processor.
  expect(process.cpuUsage(begun).user / 1e6).toBeLessThan(15);
  const times: number[] = [];
  for (; queue.size > 0; queue.shift()) times.push(queue.headTime);
  expect(times).toHaveLength(2 * count + 1);
  const ordered = (part: number[]) => part.every((time, index) => index === 0 || time > (part[index - 1] ?? 0));
  expect(ordered(times.slice(0, count + 1))).toBe(true);
  expect(ordered(times.slice(count + 1))).toBe(true);
});

test('the bytes of a block that was taken are let go', () => {
  const queue = new InterfaceQueue(0);
  queue.push(1, 1, new Uint8Array(4), 0, 4, 6);
  queue.shift();
  expect(() => queue.headBytes).toThrow(RangeError);
});

test('an interface is busy from its first second with many packets, and for some time after', () => {
  const queue = new InterfaceQueue(0);
  const take = (arrival: number) => {
    queue.push(0, arrival, new Uint8Array(0), 0, 0, 6);
    queue.shift();
  };
  // One less than that in every second is not busy, over however many seconds.
  for (let second = 0; second < 3; second += 1) {
    for (let index = 1; index < BUSY_PACKETS; index += 1) take(second * 1_001);
  }
  expect(queue.busyUntil).toBe(Number.NEGATIVE_INFINITY);
  take(2 * 1_001 + 500);
  expect(queue.busyUntil).toBe(2 * 1_001 + 500 + BUSY_FOR_MS);
});

test('a block of a type of 32 bits keeps it, also when the queue grows', () => {
  const queue = new InterfaceQueue(0);
  const bytes = new Uint8Array(32);
  for (let time = 0; time < 300; time += 1) queue.push(time, 0, bytes, 0, 32, time === 290 ? BLOCK.ksnoopState : 6);
  for (let time = 0; time < 290; time += 1) queue.shift();
  expect(queue.headType).toBe(BLOCK.ksnoopState);
});
