import { Backoff } from '../wire/backoff.ts';

export interface QueueTimes {
  /** A key is worked on no more often than this, milliseconds. */
  readonly settleMs: number;
  /** Waits after failures, doubled from the first to the last, milliseconds. */
  readonly firstMs: number;
  readonly lastMs: number;
}

interface Entry {
  timer: NodeJS.Timeout | undefined;
  /** When the timer fires, by performance.now(). */
  due: number;
  working: boolean;
  /** Asked for while it was worked on. */
  again: number | undefined;
  readonly backoff: Backoff;
}

/**
 * Keys of objects whose state is to be looked at: each once however often it was asked for, never two at a time for one key, no more
 * than `workers` at a time in all. A key whose work fails comes again, later each time.
 */
export class WorkQueue {
  readonly #work: (key: string) => Promise<number | undefined>;
  readonly #workers: number;
  readonly #times: QueueTimes;
  readonly #entries = new Map<string, Entry>();
  readonly #ready: string[] = [];
  #working = 0;
  #closed = false;
  #idle: (() => void) | undefined;

  /**
   * @param work looks at one object. @returns milliseconds until it must be looked at again; undefined: not by itself
   * @param failed receives what work threw
   */
  constructor(
    work: (key: string) => Promise<number | undefined>,
    options: { readonly workers: number; readonly times: QueueTimes },
  ) {
    this.#work = work;
    this.#workers = options.workers;
    this.#times = options.times;
  }

  /** Keys that wait or are worked on. */
  get size(): number {
    return this.#entries.size;
  }

  /** Have a key looked at, soon or after a time; the earlier time counts. */
  add(key: string, afterMs = 0): void {
    if (this.#closed) return;
    const entry = this.#entries.get(key);
    if (entry?.working) {
      entry.again = Math.min(entry.again ?? Number.POSITIVE_INFINITY, afterMs);
      return;
    }
    const { settleMs, firstMs, lastMs } = this.#times;
    const known = entry ?? {
      timer: undefined,
      due: Number.POSITIVE_INFINITY,
      working: false,
      again: undefined,
      backoff: new Backoff(firstMs, lastMs, Math.random),
    };
    this.#entries.set(key, known);
    const due = performance.now() + Math.max(afterMs, settleMs);
    if (known.due <= due) return;
    clearTimeout(known.timer);
    known.due = due;
    known.timer = setTimeout(() => this.#isDue(key), due - performance.now());
  }

  /** Forget what waits, and wait for what is worked on. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { timer } of this.#entries.values()) clearTimeout(timer);
    this.#ready.length = 0;
    if (this.#working > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    this.#entries.clear();
  }

  #isDue(key: string): void {
    this.#ready.push(key);
    this.#start();
  }

  #start(): void {
    while (this.#working < this.#workers && !this.#closed) {
      const key = this.#ready.shift();
      if (key === undefined) return;
      void this.#workOn(key);
    }
  }

  async #workOn(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.working = true;
    entry.due = Number.POSITIVE_INFINITY;
    this.#working += 1;
    let next: number | undefined;
    try {
      next = await this.#work(key);
      entry.backoff.reset();
    } catch {
      next = entry.backoff.next();
    }
    this.#working -= 1;
    entry.working = false;
    const { again } = entry;
    entry.again = undefined;
    const times = [next, again].filter((time) => time !== undefined);
    if (times.length > 0) this.add(key, Math.min(...times));
    else this.#entries.delete(key);
    if (this.#closed && this.#working === 0) this.#idle?.();
    this.#start();
  }
}
