import { TRACE_CLOCK_PAIRS, TRACE_CLOCK_WINDOW_NS, TRACE_CLOCK_WINDOWS } from '../limits.ts';

/** Packets of each way that must have passed within a window before anything is stated. */
const LEAST_PACKETS = 20;

/** How far one clock is ahead of another. */
export interface ClockOffset {
  /** ns; negative where it is behind */
  readonly offset: number;
  /** The true offset differs from `offset` by at most this, ns. */
  readonly error: number;
}

/** What passed between two clocks within some seconds. Delays: time at the end minus time at the start, each by its own clock, ns. */
class Window {
  number = -1;
  readonly least: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  readonly count: [number, number] = [0, 0];

  begin(number: number): void {
    this.number = number;
    this.least.fill(Number.POSITIVE_INFINITY);
    this.count.fill(0);
  }
}

/**
 * How far the clocks of nodes are apart, from the packets that passed between them. A packet takes no negative time, so the
 * least delay of each way bounds the offset: it is (least there − least back) / 2 with an error of at most (least there + least
 * back) / 2, as long as no clock is set within the window. (The method of NTP, RFC 5905, section 8, with the least delays.)
 */
export class ClockOffsets {
  readonly #pairs = new Map<number, Window[]>();

  /**
   * Something went from a place with one clock to a place with another.
   * @param from, to numbers of the clocks (Places.clockOf) @param delay time at `to` minus time at `from`, ns
   * @param time about when, ns since the first packet
   */
  passed(from: number, to: number, delay: number, time: number): void {
    if (from === to) return;
    const window = this.#window(from, to, time, true);
    if (window === undefined) return;
    const way = from < to ? 0 : 1;
    window.count[way] += 1;
    if (delay < window.least[way]) window.least[way] = delay;
  }

  /** How far the clock `to` is ahead of the clock `from`; undefined where too little passed between them. @param time ns */
  between(from: number, to: number, time: number): ClockOffset | undefined {
    if (from === to) return { offset: 0, error: 0 };
    const window = this.#window(from, to, time, false);
    if (window === undefined || window.count[0] < LEAST_PACKETS || window.count[1] < LEAST_PACKETS) return undefined;
    const [there, back] = window.least;
    // A clock was set.
    if (there + back < 0) return undefined;
    // Whole nanoseconds: what rounding takes from the offset the error gains.
    const offset = Math.floor((there - back) / 2);
    return { offset: from < to ? offset : -offset, error: Math.ceil((there + back) / 2) };
  }

  #window(from: number, to: number, time: number, isNew: boolean): Window | undefined {
    const key = Math.min(from, to) * 2 ** 26 + Math.max(from, to);
    let windows = this.#pairs.get(key);
    if (windows === undefined) {
      if (!isNew || this.#pairs.size >= TRACE_CLOCK_PAIRS) return undefined;
      windows = Array.from({ length: TRACE_CLOCK_WINDOWS }, () => new Window());
      this.#pairs.set(key, windows);
    }
    const number = Math.max(0, Math.floor(time / TRACE_CLOCK_WINDOW_NS));
    const window = windows[number % TRACE_CLOCK_WINDOWS] as Window;
    if (window.number === number) return window;
    if (!isNew || window.number > number) return undefined;
    window.begin(number);
    return window;
  }
}
