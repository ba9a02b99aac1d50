/**
 * A deadline is counted in so many parts, each with a timer of its own. A turn of the event loop that takes long counts as one part, however
 * long it takes.
 */
const PARTS = 10;

/** How long the event loop has waited for something to do. */
const loopUse = performance.eventLoopUtilization.bind(performance);

/** The event loop was idle for this share of a part: then it had read all that had arrived. */
const IDLE_SHARE = 0.05;

/** So many parts without that count as one: a process that is never idle may have answers that it has not come to yet. */
export const BUSY_PARTS = 6;

/**
 * A deadline for what another process sends, counted in time in which this process could have read it. Node runs the timers that are due
 * before it reads its sockets: after a turn that takes longer than a plain timer, the timer runs first and ends what has arrived long ago. Where
 * the event loop is busy all the time a deadline is up to BUSY_PARTS times as long. The last part is followed by one more look at the sockets.
 */
export class Deadline {
  readonly #part: number;
  readonly #late: () => void;
  /** Parts that are left, times BUSY_PARTS. */
  #left = PARTS * BUSY_PARTS;
  #idle = loopUse().idle;
  readonly #timer: NodeJS.Timeout;
  #look: NodeJS.Immediate | undefined;

  /**
   * @param milliseconds from now
   * @param late called once, when they have passed
   */
  constructor(milliseconds: number, late: () => void) {
    this.#part = Math.ceil(milliseconds / PARTS);
    this.#late = late;
    this.#timer = setTimeout(() => this.#passed(), this.#part);
  }

  /** Count from now on again. */
  refresh(): void {
    this.#left = PARTS * BUSY_PARTS;
    clearImmediate(this.#look);
    this.#timer.refresh();
  }

  /** End it: `late` is not called any more. */
  clear(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#look);
  }

  /** Do not keep the process alive for it. */
  unref(): this {
    this.#timer.unref();
    return this;
  }

  #passed(): void {
    const { idle } = loopUse();
    this.#left -= idle - this.#idle >= this.#part * IDLE_SHARE ? BUSY_PARTS : 1;
    this.#idle = idle;
    if (this.#left > 0) this.#timer.refresh();
    else this.#lookOnce();
  }

  /** Between one immediate and the next the event loop looks at its sockets, wherever in a turn the first was asked for. */
  #lookOnce(): void {
    this.#look = setImmediate(() => {
      this.#look = setImmediate(this.#late);
    });
  }
}

/**
 * In place of AbortSignal.timeout, whose timer is a plain one.
 * @returns a signal that aborts with a TimeoutError; it does not keep the process alive
 */
export function deadlineSignal(milliseconds: number): AbortSignal {
  const abort = new AbortController();
  new Deadline(milliseconds, () => abort.abort(new DOMException('The time is up.', 'TimeoutError'))).unref();
  return abort.signal;
}
