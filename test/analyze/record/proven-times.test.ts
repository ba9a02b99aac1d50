import { expect, test } from 'vitest';
import { withProvenTimes } from '../../../src/analyze/record/proven-times.ts';
import { exchange, notice } from '../made-events.ts';

const times = (parts: Parameters<typeof exchange>[0]) => {
  const event = withProvenTimes(exchange(parts), 77);
  return event.kind === 'exchange' ? [event.time, event.requestEnd, event.responseTime, event.responseEnd] : [];
};

test.each([
  ['all measured', [1, 2, 3, 4], [1, 2, 3, 4]],
  ['an answer before its request', [5, 6, 3, 4], [5, 6, undefined, undefined]],
  ['an end before its beginning', [1, 2, 4, 3], [1, 2, 4, undefined]],
  ['the request of another clock', [Number.NaN, Number.NaN, 3, 4], [77, 77, undefined, undefined]],
  ['the answer of another clock', [1, 2, Number.NaN, Number.NaN], [1, 2, undefined, undefined]],
  ["the request's end of another clock", [1, Number.NaN, 3, 4], [1, 1, undefined, undefined]],
  ['no answer', [1, 2, undefined, undefined], [1, 2, undefined, undefined]],
])('%s', (_, [time = 0, requestEnd = 0, responseTime, responseEnd], expected) => {
  expect(times({ time, requestEnd, responseTime, responseEnd })).toEqual(expected);
});

test('an event without a time has that of the packet at hand', () => {
  expect(withProvenTimes({ ...notice(), time: Number.NaN }, 77).time).toBe(77);
});
