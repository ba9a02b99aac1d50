import { join } from 'node:path';
import { expect, test } from 'vitest';
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
  ['nats-taken-for-http.pcap', []],
])('%s', async (name, expected) => {
  expect(await lines(name)).toEqual(expected);
});

test('http1-expect-417.pcap: each request has its own answer, the next one too', async () => {
  const all = await lines('http1-expect-417.pcap');
  expect(all).toHaveLength(52);
  expect(all.slice(0, -1).every((line) => line.startsWith('POST /up = 417 ('))).toBe(true);
  expect(all.at(-1)).toMatch(/^GET \/after = 200 \(/);
});
