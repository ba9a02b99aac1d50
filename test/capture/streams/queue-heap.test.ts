import { expect, test } from 'vitest';
import { InterfaceQueue } from '../../../src/capture/streams/interface-queue.ts';
import { QueueHeap } from '../../../src/capture/streams/queue-heap.ts';
import { BLOCK } from '../../../src/wire/pcapng.ts';
import { Random } from '../../support/random.ts';

const NOTHING = new Uint8Array(0);

test.each([1, 2, 3, 7, 64, 65, 200])('of %i queues the first is always the one with the earliest head', (count) => {
  const random = new Random(count);
  const queues = Array.from({ length: count }, (_, id) => new InterfaceQueue(id));
  const heap = new QueueHeap();
  for (let step = 0; step < 4_000; step += 1) {
    const queue = queues[random.below(count)];
    // Mostly more come than go for a while, then the other way round.
    if (queue !== undefined && random.below(10) < (step % 1_000 < 500 ? 6 : 4)) {
      const [wasEmpty, before] = [queue.size === 0, queue.headTime];
      queue.push(random.below(50) * 10, step, NOTHING, 0, 0, BLOCK.enhancedPacket);
      if (wasEmpty) heap.add(queue);
      else if (queue.headTime < before) heap.headMoved(queue);
    } else {
      heap.first?.shift();
      heap.firstShifted();
    }
    const waiting = queues.filter(({ size }) => size > 0);
    expect(heap.size).toBe(waiting.length);
    const earliest = Math.min(...waiting.map(({ headTime }) => headTime));
    expect(heap.first?.headTime ?? Number.POSITIVE_INFINITY).toBe(earliest);
  }
  // Until it is empty, in order.
  const times: number[] = [];
  for (let { first } = heap; first !== undefined; { first } = heap) {
    times.push(first.headTime);
    first.shift();
    heap.firstShifted();
  }
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(queues.every(({ size }) => size === 0)).toBe(true);
});

test('an interface is silent while statistics and states alone wait, and it has not ended', () => {
  const random = new Random(5);
  const types = [BLOCK.enhancedPacket, BLOCK.ksnoopFound, BLOCK.interfaceStatistics, BLOCK.ksnoopState];
  const queue = new InterfaceQueue(0);
  const waiting: number[] = [];
  for (let step = 0; step < 3_000; step += 1) {
    const type = types[random.below(step % 100 < 30 ? 4 : 2) + (step % 100 < 30 ? 0 : 2)] ?? 0;
    if (random.below(2) === 0) {
      queue.push(step, step, NOTHING, 0, 0, type);
      waiting.push(type);
    } else if (waiting.length > 0) {
      queue.shift();
      waiting.shift();
    }
    const packets = waiting.filter((one) => one === BLOCK.enhancedPacket || one === BLOCK.ksnoopFound).length;
    expect(queue.packets).toBe(packets);
    expect(queue.isSilent).toBe(waiting.length > 0 && packets === 0);
  }
  queue.ended = true;
  expect(queue.isSilent).toBe(false);
});
