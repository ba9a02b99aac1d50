import { expect, test } from 'vitest';
import { TRACE_CLOCK_WINDOW_NS, TRACE_CLOCK_WINDOWS } from '../../../src/analyze/limits.ts';
import { ClockOffsets } from '../../../src/analyze/trace/clock-offsets.ts';
import { Random } from '../../support/random.ts';
import { TracedCapture } from '../../support/traced-capture.ts';
import { CLIENT, get, ok, SERVICE, tracesOf, WEB } from './traces.ts';

const MS = 1e6;

test('an offset is within its stated error, both ways round', () => {
  const random = new Random(7);
  for (let round = 0; round < 200; round += 1) {
    const offsets = new ClockOffsets();
    const ahead = (random.below(2000) - 1000) * MS;
    for (let packet = 0; packet < 40; packet += 1) {
      offsets.passed(1, 2, ahead + random.below(5 * MS), packet * MS);
      offsets.passed(2, 1, random.below(20 * MS) - ahead, packet * MS);
    }
    const found = offsets.between(1, 2, 0);
    expect(found).toBeDefined();
    expect(Math.abs((found?.offset ?? 0) - ahead)).toBeLessThanOrEqual(found?.error ?? 0);
    expect(offsets.between(2, 1, 0)).toEqual({ offset: -(found?.offset ?? 0), error: found?.error });
  }
});

test('too few packets, or a clock that was set, prove no offset', () => {
  const offsets = new ClockOffsets();
  for (let packet = 0; packet < 19; packet += 1) {
    offsets.passed(1, 2, 5 * MS, 0);
    offsets.passed(2, 1, 5 * MS, 0);
  }
  expect(offsets.between(1, 2, 0)).toBeUndefined();
  offsets.passed(1, 2, 5 * MS, 0);
  offsets.passed(2, 1, 5 * MS, 0);
  expect(offsets.between(1, 2, 0)).toEqual({ offset: 0, error: 5 * MS });
  offsets.passed(1, 2, -1000 * MS, 0);
  expect(offsets.between(1, 2, 0)).toBeUndefined();
  // Another ten seconds know nothing of these.
  expect(offsets.between(1, 2, 11e9)).toBeUndefined();
});

test('a time that takes the place of an earlier one begins without what passed then', () => {
  const offsets = new ClockOffsets();
  const pass = (packets: number, delay: number, time: number) => {
    for (let packet = 0; packet < packets; packet += 1) {
      offsets.passed(1, 2, delay, time);
      offsets.passed(2, 1, delay, time);
    }
  };
  const later = TRACE_CLOCK_WINDOW_NS * TRACE_CLOCK_WINDOWS;
  pass(20, 5 * MS, 0);
  pass(19, 8 * MS, later);
  expect(offsets.between(1, 2, later)).toBeUndefined();
  pass(1, 8 * MS, later);
  expect(offsets.between(1, 2, later)).toEqual({ offset: 0, error: 8 * MS });
  expect(offsets.between(1, 2, 0)).toBeUndefined();
});

/** Requests between two nodes, one of whose clocks is ahead; the delays of both ways differ. Times: ms. */
function twoNodes(ahead: number, requests: number): TracedCapture {
  const capture = new TracedCapture(['shop/client-1/any', 'shop/web-1/any']);
  const places = [
    { interfaceId: 0, ttl: 64 },
    { interfaceId: 1, ttl: 62, server: [WEB, 8080] as const, ahead },
  ];
  const connection = capture.connection(places, [CLIENT, 40_000], [SERVICE, 80], [1000, 9000]).handshake(1000);
  for (let index = 0; index < requests; index += 1) {
    const at = 1010 + index * 100;
    // The fastest takes 0.2 ms each way; every third request waits 40 ms on its way there.
    const there = index % 3 === 0 ? 40 : 0.2;
    connection.send(0, get(`/${index}`), [at, at + there]).send(1, ok(), [at + there + 10.2, at + there + 10]);
  }
  return capture;
}

test.each([-700, 0, 3.5, 900])(
  'both ways of a hop between clocks %d ms apart add up to it and are right within the error',
  (ahead) => {
    const traces = tracesOf(twoNodes(ahead, 60));
    expect(traces).toHaveLength(60);
    let split = 0;
    for (const { label, hops, total } of traces) {
      const hop = hops.find(({ kind }) => kind === 'network');
      const isSlow = Number(label.slice('GET /'.length)) % 3 === 0;
      expect(hops.reduce((sum, { latency }) => sum + latency, 0)).toBe(total);
      if (!isSlow) {
        // ± 0.2 ms is no part of 0.4 ms.
        expect(hop?.oneWay).toBeUndefined();
        continue;
      }
      split += 1;
      const { request = 0, response = 0, offset = 0, error = 0 } = hop?.oneWay ?? {};
      expect(request + response).toBe(hop?.latency);
      expect(error).toBeLessThanOrEqual(0.21 * MS);
      expect(Math.abs(offset - ahead * MS)).toBeLessThanOrEqual(error);
      expect(Math.abs(request - 40 * MS)).toBeLessThanOrEqual(error);
    }
    expect(split).toBe(20);
  },
);

test('from few requests no ways are stated between two clocks', () => {
  const traces = tracesOf(twoNodes(50, 10));
  expect(traces.flatMap(({ hops }) => hops.flatMap(({ oneWay }) => oneWay ?? []))).toEqual([]);
});
