/** Entries at the queue's front that may be used up before it is copied. */
const COMPACT = 1024;

/** Things that are due a fixed time after they came: first come, first due, so a look at the first one is enough. */
export class TimedQueue<T> {
  readonly #wait: number;
  #items: (T | undefined)[] = [];
  #times: number[] = [];
  #head = 0;

  /** @param wait ns of packet time */
  constructor(wait: number) {
    this.#wait = wait;
  }

  get size(): number {
    return this.#times.length - this.#head;
  }

  /** The one that came first; undefined in an empty queue. */
  get first(): T | undefined {
    return this.#items[this.#head];
  }

  /** From when the first one waits, ns; NaN in an empty queue. */
  get since(): number {
    return this.#head < this.#times.length ? (this.#times[this.#head] as number) : Number.NaN;
  }

  /** @param since from when it waits, ns */
  add(item: T, since: number): void {
    this.#items.push(item);
    this.#times.push(since);
  }

  /**
   * The next one whose time has come; undefined while none's has. Packets whose times go back far count as late.
   * @param now ns; Infinity: it comes at once
   */
  due(now: number): T | undefined {
    if (this.#head >= this.#times.length) return undefined;
    const age = now - (this.#times[this.#head] as number);
    if (age >= 0 ? age <= this.#wait : age >= -this.#wait) return undefined;
    return this.take();
  }

  /** The one that came first, whether its time has come or not; undefined in an empty queue. */
  take(): T | undefined {
    if (this.#head >= this.#times.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head >= COMPACT && this.#head > this.#times.length / 2) this.#compact();
    return item;
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#head);
    this.#times = this.#times.slice(this.#head);
    this.#head = 0;
  }
}
