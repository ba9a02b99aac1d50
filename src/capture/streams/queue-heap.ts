import type { InterfaceQueue } from './interface-queue.ts';

/**
 * The queues with waiting blocks, a binary heap by their head's time. The times stand in an array of their own: with a
 * thousand queues most of the merge's time would go into looking them up.
 */
export class QueueHeap {
  readonly #queues: InterfaceQueue[] = [];
  #times = new Float64Array(64);

  get size(): number {
    return this.#queues.length;
  }

  /** The queue with the earliest head. */
  get first(): InterfaceQueue | undefined {
    return this.#queues[0];
  }

  /** A queue that was empty has a head now. */
  add(queue: InterfaceQueue): void {
    const size = this.#queues.length;
    if (size === this.#times.length) {
      const times = new Float64Array(size * 2);
      times.set(this.#times);
      this.#times = times;
    }
    this.#queues.push(queue);
    this.#siftUp(size, queue, queue.headTime);
  }

  /** A queue's head is earlier than it was. */
  headMoved(queue: InterfaceQueue): void {
    this.#siftUp(this.#queues.indexOf(queue), queue, queue.headTime);
  }

  /** The first queue has lost its head: it goes to where its next one belongs, or out. */
  firstShifted(): void {
    const queues = this.#queues;
    const first = queues[0];
    if (first === undefined) return;
    if (first.size > 0) {
      this.#siftDown(first, first.headTime);
      return;
    }
    const last = queues.pop();
    if (last !== undefined && last !== first) this.#siftDown(last, this.#times[queues.length] ?? 0);
  }

  #siftUp(from: number, queue: InterfaceQueue, time: number): void {
    const queues = this.#queues;
    const times = this.#times;
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = times[parent] ?? 0;
      const aboveQueue = queues[parent];
      if (above <= time || aboveQueue === undefined) break;
      times[index] = above;
      queues[index] = aboveQueue;
      index = parent;
    }
    times[index] = time;
    queues[index] = queue;
  }

  #siftDown(queue: InterfaceQueue, time: number): void {
    const queues = this.#queues;
    const times = this.#times;
    const size = queues.length;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= size) break;
      let smaller = times[child] ?? 0;
      if (child + 1 < size) {
        const right = times[child + 1] ?? 0;
        if (right < smaller) {
          smaller = right;
          child += 1;
        }
      }
      const childQueue = queues[child];
      if (smaller >= time || childQueue === undefined) break;
      times[index] = smaller;
      queues[index] = childQueue;
      index = child;
    }
    times[index] = time;
    queues[index] = queue;
  }
}
