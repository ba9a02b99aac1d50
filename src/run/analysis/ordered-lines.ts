/** What of a reading is held at most: the time between a line and the newest packet, ns of packet time, and bytes of lines. */
export const HELD_NS = 60e9;
export const HELD_BYTES = 8 * 1024 * 1024;

/** A line of a running capture is held for at most two of these, milliseconds. */
export const LIVE_HOLD_MS = 400;

/** What a line costs besides its characters, bytes. */
const LINE_OVERHEAD = 64;

/**
 * Puts lines in the order of their times. A line is held until no earlier one is to be expected: an exchange is known
 * when its response is complete, and stands at the time of its request. A line that comes later than the bounds allow is
 * written when it comes.
 */
export class OrderedLines {
  readonly #write: (text: string, time: number) => void;
  readonly #live: boolean;
  /** A binary heap by time, then by arrival. */
  readonly #heap: { readonly time: number; readonly order: number; readonly text: string }[] = [];
  #arrivals = 0;
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Lines up to this time were there when the timer last ran. */
  #due = Number.NEGATIVE_INFINITY;

  /**
   * @param write takes a line, in order
   * @param live whether the packets come as they are captured: then lines are held for LIVE_HOLD_MS, whatever comes
   */
  constructor(write: (text: string, time: number) => void, live: boolean) {
    this.#write = write;
    this.#live = live;
  }

  /** @param time of the line @param now of the newest packet: both ns since the first packet */
  add(text: string, time: number, now: number): void {
    this.#arrivals += 1;
    this.#push({ time, order: this.#arrivals, text });
    this.#bytes += sizeOf(text);
    if (this.#live && this.#timer === undefined) {
      this.#due = Number.NEGATIVE_INFINITY;
      this.#timer = setInterval(() => this.#tick(), LIVE_HOLD_MS);
      this.#timer.unref();
    }
    while (this.#bytes > HELD_BYTES || (this.#heap[0]?.time ?? now) < now - HELD_NS) this.#pop();
  }

  /** Write all that is held. */
  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    while (this.#heap.length > 0) this.#pop();
  }

  /** What was there when it last ran has been held long enough. */
  #tick(): void {
    while (this.#heap.length > 0 && (this.#heap[0]?.time ?? 0) <= this.#due) this.#pop();
    this.#due = this.#heap.reduce((latest, { time }) => Math.max(latest, time), Number.NEGATIVE_INFINITY);
    if (this.#heap.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #push(line: { readonly time: number; readonly order: number; readonly text: string }): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(line);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(line, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = line;
  }

  #pop(): void {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return;
    if (heap.length > 0) {
      let at = 0;
      for (;;) {
        let child = at * 2 + 1;
        let below = heap[child];
        const right = heap[child + 1];
        if (below === undefined) break;
        if (right !== undefined && isBefore(right, below)) {
          child += 1;
          below = right;
        }
        if (!isBefore(below, last)) break;
        heap[at] = below;
        at = child;
      }
      heap[at] = last;
    }
    this.#bytes -= sizeOf(first.text);
    this.#write(first.text, first.time);
  }
}

interface Ordered {
  readonly time: number;
  readonly order: number;
}

function isBefore(a: Ordered, b: Ordered): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}

function sizeOf(text: string): number {
  return text.length + LINE_OVERHEAD;
}
