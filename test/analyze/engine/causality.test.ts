import { join } from 'node:path';
import { expect, test } from 'vitest';
import { analyseFile } from '../../support/analysis.ts';

const here = (name: string) => join(import.meta.dirname, 'captures', name);

/** What is stated of a capture's exchanges, and that no time of them is negative. */
async function stated(name: string): Promise<string[]> {
  const { events } = await analyseFile(here(name));
  return events.map(({ event }) => {
    if (event.kind !== 'exchange') return event.label;
    for (const [later, earlier] of [
      [event.requestEnd, event.time],
      [event.responseTime, event.time],
      [event.responseEnd, event.responseTime],
    ] as const) {
      if (later !== undefined && earlier !== undefined) expect(later).toBeGreaterThanOrEqual(earlier);
    }
    return `${event.label} ${event.status} ${event.incomplete ?? ''}`.trim();
  });
}

test('an answer captured 5 µs before its request answers it; of such times no latency is made', async () => {
  expect(await stated('response-before-request.pcap')).toEqual(['GET /x 200', 'GET /x 200']);
  const { events } = await analyseFile(here('response-before-request.pcap'));
  for (const { event } of events) expect(event.kind === 'exchange' && event.responseEnd).toBeUndefined();
});

test('one lost request or answer shifts nothing', async () => {
  const right = (lines: readonly string[]) =>
    lines.filter((line) => /^GET \/r/.test(line)).map((line) => line.replace(/^GET \/r(\d) 20(\d)$/, '$1 $2'));
  for (const pair of right(await stated('loss-request-http1.pcap'))) {
    const [request, answer] = pair.split(' ');
    expect(answer).toBe(request);
  }
  const answers = await stated('loss-response-http1-fast.pcap');
  expect(answers.filter((line) => line.includes('response not captured'))).toEqual([
    expect.stringMatching(/^GET \/r2 .*response not captured$/),
  ]);
});

test('a connection opened from both sides at once is one', async () => {
  const { flows } = await analyseFile(here('tcp-simultaneous-open.pcap'));
  expect(flows).toHaveLength(1);
  expect(await stated('tcp-simultaneous-open.pcap')).toEqual(['GET /1 200']);
});

test('SYNs without an answer are one event', async () => {
  const lines = await stated('syn-unanswered.pcapng');
  expect(lines.filter((line) => line.startsWith('no answer'))).toEqual(['no answer, SYN sent 6 times in 5.1 s']);
});

test('what is on its way when the capture ends has not failed', async () => {
  const { events } = await analyseFile(here('cut-counted-failed.pcapng'));
  const of = (how: string | undefined) =>
    events.filter(({ event }) => event.kind === 'exchange' && event.incomplete === how).length;
  expect([of(undefined), of('capture ended')]).toEqual([55, 5]);
  expect(events.filter(({ event }) => event.kind === 'exchange' && event.failed)).toEqual([]);
});
