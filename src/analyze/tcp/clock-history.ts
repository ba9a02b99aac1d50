import type { Exchange } from '../record/event.ts';

/** Clocks that are remembered of one direction; times of earlier ones are not known. */
const STRETCHES_MAXIMUM = 8;

/** Bytes that were stamped by one clock: the earliest and the latest of their times, ns. */
interface Stretch {
  readonly clock: number;
  from: number;
  to: number;
}

/**
 * Which clock stamped the bytes of a connection that was captured at places with several clocks. Made when a second clock
 * is seen. Times of different clocks cannot be compared: an exchange has a latency only where one clock stamped both ends.
 */
export class ClockHistory {
  readonly #stretches: readonly [Stretch[], Stretch[]] = [[], []];

  /** Bytes of a direction were handed on. @param from, to the earliest and the latest of their times, ns */
  add(direction: number, clock: number, from: number, to: number): void {
    const stretches = this.#stretches[direction === 0 ? 0 : 1];
    const last = stretches.at(-1);
    if (last?.clock === clock) {
      last.from = Math.min(last.from, from);
      last.to = Math.max(last.to, to);
      return;
    }
    stretches.push({ clock, from, to });
    if (stretches.length > STRETCHES_MAXIMUM) stretches.shift();
  }

  /** An exchange without the times that another clock stamped than the one of its first byte. @param client the client's direction */
  proven(event: Exchange, client: number): Exchange {
    const server = 1 - client;
    const isAnswerOnly = event.incomplete === 'request not seen';
    const clock = this.#clockAt(isAnswerOnly ? server : client, event.time);
    const isSame = (direction: number, time: number | undefined) =>
      time === undefined || (clock !== undefined && this.#clockAt(direction, time) === clock);
    const isRequestProven = isAnswerOnly || event.requestEnd === event.time || isSame(client, event.requestEnd);
    const isStartProven = isRequestProven && isSame(server, event.responseTime);
    const isEndProven = isStartProven && isSame(server, event.responseEnd);
    if (isEndProven) return event;
    return {
      ...event,
      requestEnd: isRequestProven ? event.requestEnd : event.time,
      responseTime: isStartProven ? event.responseTime : undefined,
      responseEnd: undefined,
    };
  }

  /** The clock that stamped a time of a direction; undefined where it is not known which of several did. */
  #clockAt(direction: number, time: number): number | undefined {
    let clock: number | undefined;
    for (const stretch of this.#stretches[direction === 0 ? 0 : 1]) {
      if (time < stretch.from || time > stretch.to) continue;
      if (clock !== undefined && clock !== stretch.clock) return undefined;
      clock = stretch.clock;
    }
    return clock;
  }
}
