import { expect, test } from 'vitest';
import { timingsOf } from '../../../src/analyze/record/record.ts';
import { exchange } from '../made-events.ts';

const at = { time: 10, requestEnd: 10, responseTime: 10, responseEnd: 30 };

test.each([
  ['an answer whose request was not seen', { incomplete: 'request not seen', requestBytes: 0 }, undefined, 20],
  ['an answer that may be of any of several requests', { incomplete: 'unknown', requestBytes: 0 }, undefined, 20],
  ['a likely pair', { incomplete: 'unknown', requestBytes: 5 }, 20, 20],
  ['a pair', { incomplete: undefined, requestBytes: 5 }, 20, 20],
] as const)('%s: latency and transfer time', (_, parts, latency, transferTime) => {
  expect(timingsOf(exchange({ ...at, ...parts }))).toMatchObject({ latency, ttfb: latency && 0, transferTime });
});
