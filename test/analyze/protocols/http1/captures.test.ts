import { join } from 'node:path';
import { expect, test } from 'vitest';
import { timingsOf } from '../../../../src/analyze/record/record.ts';
import { analyseFile } from '../../../support/analysis.ts';

/** `GET /x = 200 (2 ms)`; of an event its code and text. */
async function lines(name: string): Promise<string[]> {
  const { events } = await analyseFile(join(import.meta.dirname, 'captures', name));
  return events
    .filter(({ event }) => event.protocol !== 'tcp')
    .map(({ event }) => {
      if (event.kind !== 'exchange') return event.label;
      const { incomplete, responseEnd, time, failed } = event;
      const latency =
        responseEnd === undefined || incomplete === 'request not seen'
          ? ''
          : `(${((responseEnd - time) / 1e6).toFixed(1)} ms)`;
      const [route] = event.label.split('?');
      return [`${route} =`, event.status, incomplete, failed ? 'failed' : '', latency].filter(Boolean).join(' ');
    });
}

test.each<[string, string[]]>([
  ['http1-close-then-rst.pcap', ['GET /x = 200 (1.0 ms)']],
  ['http1-head-cut.pcap', ['GET /slow = 408 (5000.0 ms)', 'GET /only-head = no response failed']],
  ['http-latency-of-gap.pcap', ['GET /cart/1 = 200 response not captured', 'GET /cart/2 = 200 (3.0 ms)']],
  ['http-midstream-keepalive-byte.pcap', ['GET /ping = 200 unknown (184.9 ms)', 'GET /ping = 200 unknown (180.8 ms)']],
  // Its CONNECT is none of HTTP.
  [
    'nats-taken-for-http.pcap',
    [
      'CONNECT = ok (293.1 ms)',
      'SUB FOO',
      'SUB FRONT.DOOR',
      'PUB FOO',
      'MSG FOO',
      'PUB FRONT.DOOR',
      'PUB FOO',
      'MSG FOO',
      'PUB FOO',
      'MSG FOO',
      'PUB FOO',
      'MSG FRONT.DOOR',
    ],
  ],
  // A request that was not captured shifts no pair.
  [
    'pairing-shift-http.pcap',
    [
      'GET /k1 = 201 (3.0 ms)',
      'GET /k2 = 202 (3.0 ms)',
      '(request not seen) = 203 request not seen',
      'GET /k4 = 204 (3.0 ms)',
      'GET /k5 = 205 (3.0 ms)',
      'GET /k6 = 206 (3.0 ms)',
      'GET /k7 = 207 (3.0 ms)',
    ],
  ],
  [
    'loss-response-http1-fast.pcap',
    [
      'GET /r1 = 201 (1.0 ms)',
      'GET /r2 = response not captured',
      'GET /r3 = 203 (1.0 ms)',
      'GET /r4 = 204 (1.0 ms)',
      'GET /r5 = 205 (1.0 ms)',
      'GET /r6 = 206 (1.0 ms)',
    ],
  ],
])('%s', async (name, expected) => {
  expect(await lines(name)).toEqual(expected);
});

test.each<[string, string[]]>([
  ['response-before-request.pcap', ['GET /x = 200', 'GET /x = 200']],
  [
    'loss-request-http1.pcap',
    ['GET /r1 = 201', '(request not seen) = 202', 'GET /r3 = 203', 'GET /r4 = 204', 'GET /r5 = 205', 'GET /r6 = 206'],
  ],
  [
    'http-gap-in-request-head.pcap',
    ['POST /orders = 500', 'GET /cart/2 = 200', 'GET /cart/3 = 200', 'GET /cart/4 = 200'],
  ],
  ['http-request-line-lost-in-gap.pcap', ['POST /biz-inquiry-bff/bff/v1/common/check/polymerization = 200']],
])('%s: each request with its own response', async (name, expected) => {
  const pairs = (await lines(name)).map((line) => /^.* = \d+/.exec(line)?.[0]);
  expect(pairs).toEqual(expected);
});

test('http-latency-without-request.pcap: no latency without a request', async () => {
  const { events } = await analyseFile(join(import.meta.dirname, 'captures/http-latency-without-request.pcap'));
  expect(events.length).toBeGreaterThan(5);
  for (const { event } of events) {
    if (event.kind !== 'exchange') continue;
    expect(event.label).toBe('(request not seen)');
    expect(timingsOf(event).latency).toBeUndefined();
  }
});

test('http1-expect-417.pcap: each request has its own answer, the next one too', async () => {
  const all = await lines('http1-expect-417.pcap');
  expect(all).toHaveLength(52);
  expect(all.slice(0, -1).every((line) => line.startsWith('POST /up = 417 ('))).toBe(true);
  expect(all.at(-1)).toMatch(/^GET \/after = 200 \(/);
});
