/** Entries at the queue's front that may be used up before it is copied. */
const COMPACT = 1024;

/** Of a flow; it may stand for another flow later. */
interface OfFlow {
  readonly flow: number;
  readonly ended: boolean;
}

/** Flows that something is due for after a fixed time: first come, first due, so a look at the first one is enough. */
export class Deadlines<T extends OfFlow> {
  readonly #wait: number;
  #items: (T | undefined)[] = [];
  /** The flow's number then. */
  #flows: number[] = [];
  #times: number[] = [];
  #head = 0;

  /** @param wait ns of packet time */
  constructor(wait: number) {
    this.#wait = wait;
  }

  /** Nothing is due, now or later. */
  get isEmpty(): boolean {
    return this.#head === this.#times.length;
  }

  /** @param now time of the packet at hand, ns */
  add(item: T, now: number): void {
    this.#items.push(item);
    this.#flows.push(item.flow);
    this.#times.push(now);
  }

  /** The next one whose time has come; undefined while none's has. Packets whose times go back far count as late. */
  due(now: number): T | undefined {
    while (this.#head < this.#times.length) {
      const age = now - (this.#times[this.#head] as number);
      if (age >= 0 ? age <= this.#wait : age >= -this.#wait) return undefined;
      const item = this.#items[this.#head];
      const flow = this.#flows[this.#head];
      this.#items[this.#head] = undefined;
      this.#head += 1;
      if (this.#head >= COMPACT) this.#compact();
      if (item !== undefined && item.flow === flow && !item.ended) return item;
    }
    return undefined;
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#head);
    this.#flows = this.#flows.slice(this.#head);
    this.#times = this.#times.slice(this.#head);
    this.#head = 0;
  }
}
