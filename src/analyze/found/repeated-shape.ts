import type { Exchange } from '../record/event.ts';
import { REPEATED_TIMES, type RepeatedExchanges } from '../record/repeated-exchanges.ts';
import { durationsShape, durationsText, hashesOf, hashesText } from './durations-text.ts';
import { eventShape } from './event-shape.ts';
import { amount, moment, type Translation, WrongShape } from './shape.ts';

/** No agent counts more in the few seconds of a block. */
const COUNT_MAXIMUM = 2 ** 32 - 1;

/** The parts of RepeatedExchanges behind its exchange, as they travel: a list whose places are always the same. */
export function repeatedParts(repeated: RepeatedExchanges, now: number): readonly unknown[] {
  const { count, first, requestBytes, responseBytes, times, requestIds } = repeated;
  const durations = REPEATED_TIMES.map((name) => durationsText(times[name]));
  return [count, first - now, requestBytes, responseBytes, durations, hashesText(requestIds)];
}

/** RepeatedExchanges of what repeatedParts made. @param said the exchange @throws WrongShape */
export function repeatedShape(said: unknown, parts: unknown, by: Translation): RepeatedExchanges {
  const exchange = eventShape(said, by) as Exchange;
  if (exchange.kind !== 'exchange' || exchange.failed || exchange.incomplete !== undefined) {
    throw new WrongShape('no exchange that is in order');
  }
  if (!Array.isArray(parts) || parts.length !== 6) throw new WrongShape('no parts');
  const [count, first, requestBytes, responseBytes, durations, ids] = parts as readonly unknown[];
  const isCount = Number.isInteger(count) && (count as number) >= 1 && (count as number) <= COUNT_MAXIMUM;
  if (!isCount || !Array.isArray(durations) || durations.length !== REPEATED_TIMES.length) {
    throw new WrongShape('no counts');
  }
  const requestIds = hashesOf(ids);
  if (requestIds.length > (count as number)) throw new WrongShape('more ids than exchanges');
  const times = REPEATED_TIMES.map((name, index) => [name, durationsShape(durations[index], by)] as const);
  return {
    exchange,
    count: count as number,
    first: moment(first, by) as number,
    requestBytes: amount(requestBytes, by) as number,
    responseBytes: amount(responseBytes, by) as number,
    times: Object.fromEntries(times.filter(([, of]) => of !== undefined)),
    requestIds,
  };
}
