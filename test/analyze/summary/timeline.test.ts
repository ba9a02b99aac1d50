import { expect, it } from 'vitest';
import { PERIODS_MAXIMUM, Timeline } from '../../../src/analyze/summary/timeline.ts';
import { exchange } from '../made-events.ts';

it('counts exchanges where they began, and bytes', () => {
  const timeline = new Timeline();
  timeline.exchange(exchange({ time: 5e6, responseEnd: 8e6 }));
  timeline.exchange(exchange({ time: 25e6, responseEnd: 90e6, failed: true }));
  timeline.exchange(exchange({ time: 29e6, responseEnd: 30e6, incomplete: 'closed early' }));
  timeline.bytes(100, 12e6);
  // Before the first packet of the capture, by a packet that came out of order.
  timeline.bytes(7, -5);
  timeline.retransmissions(2, 25e6);
  const { length, periods } = timeline.report();
  expect(length).toBe(10e6);
  expect(periods.map(({ retransmissions }) => retransmissions)).toEqual([0, 0, 2]);
  expect(periods.map(({ count, failed, bytes }) => [count, failed, bytes])).toEqual([
    [1, 0, 7],
    [0, 0, 100],
    [2, 1, 0],
  ]);
  // Percentiles are within 1.1 %.
  expect((periods[0]?.p50 ?? 0) / 3e6).toBeCloseTo(1, 1);
  expect(periods[1]).toMatchObject({ p50: undefined, p99: undefined });
  expect((periods[2]?.p99 ?? 0) / 65e6).toBeCloseTo(1, 1);
});

it('makes periods longer when more would be needed, and loses nothing', () => {
  const timeline = new Timeline();
  for (let second = 0; second < 1000; second += 1) {
    timeline.exchange(exchange({ time: second * 1e9, responseEnd: second * 1e9 + 1e6 }));
    timeline.bytes(3, second * 1e9);
  }
  const { length, periods } = timeline.report();
  expect(periods.length).toBeLessThanOrEqual(PERIODS_MAXIMUM);
  expect(periods.length * length).toBeGreaterThanOrEqual(999e9);
  expect(periods.reduce((sum, { count }) => sum + count, 0)).toBe(1000);
  expect(periods.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(3000);
  // A clock that jumps a hundred days.
  timeline.bytes(1, 100 * 86_400e9);
  expect(timeline.report().periods.length).toBeLessThanOrEqual(PERIODS_MAXIMUM);
});
