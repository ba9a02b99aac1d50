import { TimedQueue } from './timed-queue.ts';

/** Of a flow; it may stand for another flow later. */
interface OfFlow {
  readonly flow: number;
  readonly ended: boolean;
}

/** Flows that something is due for after a fixed time, those that have ended by then left out. */
export class Deadlines<T extends OfFlow> {
  /** With the flow's number then. */
  readonly #queue: TimedQueue<{ readonly item: T; readonly flow: number }>;

  /** ns of packet time. */
  readonly wait: number;

  /** @param wait ns of packet time */
  constructor(wait: number) {
    this.wait = wait;
    this.#queue = new TimedQueue(wait);
  }

  /** Nothing is due, now or later. */
  get isEmpty(): boolean {
    return this.#queue.size === 0;
  }

  /** From when the first one waits, ns; NaN without any. Nothing is due `wait` before and after it. */
  get since(): number {
    return this.#queue.since;
  }

  /** @param now time of the packet at hand, ns */
  add(item: T, now: number): void {
    this.#queue.add({ item, flow: item.flow }, now);
  }

  /** The next one whose time has come; undefined while none's has. */
  due(now: number): T | undefined {
    for (let next = this.#queue.due(now); next !== undefined; next = this.#queue.due(now)) {
      if (next.item.flow === next.flow && !next.item.ended) return next.item;
    }
    return undefined;
  }
}
