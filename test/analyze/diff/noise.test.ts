import { expect, it } from 'vitest';
import { percentilesDiffer, ratesDiffer, sharesDiffer } from '../../../src/analyze/diff/noise.ts';
import { Histogram } from '../../../src/analyze/summary/histogram.ts';
import { Random } from '../../support/random.ts';

const random = new Random(20_261_129);
const uniform = () => (random.below(1_000_000) + 0.5) / 1_000_000;

/** Latencies with a long tail (log-normal), ns. */
function latencies(count: number, median: number): Histogram {
  const histogram = new Histogram();
  for (let index = 0; index < count; index += 1) {
    const normal = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    histogram.record(median * Math.exp(normal));
  }
  return histogram;
}

function cases(of: number, share: number) {
  let found = 0;
  for (let index = 0; index < of; index += 1) if (uniform() < share) found += 1;
  return { cases: found, of };
}

it('calls no share different where chance alone is at work', () => {
  let alarms = 0;
  for (let round = 0; round < 1000; round += 1) {
    if (sharesDiffer(cases(400, 0.05), cases(300, 0.05))) alarms += 1;
  }
  expect(alarms).toBeLessThanOrEqual(8);
});

it('calls no percentile different where chance alone is at work', () => {
  const alarms = { p50: 0, p90: 0, p99: 0 };
  for (let round = 0; round < 300; round += 1) {
    const [a, b] = [latencies(500, 2e6), latencies(400, 2e6)];
    if (percentilesDiffer(a, b, 0.5)) alarms.p50 += 1;
    if (percentilesDiffer(a, b, 0.9)) alarms.p90 += 1;
    if (percentilesDiffer(a, b, 0.99)) alarms.p99 += 1;
  }
  expect(alarms).toEqual({ p50: 0, p90: 0, p99: 0 });
});

it.each([
  [{ cases: 1, of: 1000 }, { cases: 120, of: 1000 }, true],
  [{ cases: 0, of: 1000 }, { cases: 15, of: 1000 }, true],
  [{ cases: 0, of: 5 }, { cases: 5, of: 5 }, true],
  // Fewer than five cases.
  [{ cases: 0, of: 4 }, { cases: 4, of: 4 }, false],
  // Chance does that.
  [{ cases: 50, of: 1000 }, { cases: 65, of: 1000 }, false],
  // Certain, and of no matter: half a percentage point.
  [{ cases: 500_000, of: 1_000_000 }, { cases: 505_000, of: 1_000_000 }, false],
  [{ cases: 0, of: 0 }, { cases: 9, of: 9 }, false],
  [{ cases: 9, of: 9 }, { cases: 9, of: 9 }, false],
])('shares of %o and %o differ: %s', (a, b, differ) => {
  expect(sharesDiffer(a, b)).toBe(differ);
  expect(sharesDiffer(b, a)).toBe(differ);
});

it('sees a median that doubled, and a tail alone', () => {
  expect(percentilesDiffer(latencies(500, 2e6), latencies(500, 4e6), 0.5)).toBe(true);
  const [plain, tail] = [new Histogram(), new Histogram()];
  for (let index = 0; index < 3000; index += 1) {
    plain.record(1e6);
    tail.record(index % 30 === 0 ? 100e6 : 1e6);
  }
  expect(percentilesDiffer(plain, tail, 0.5)).toBe(false);
  expect(percentilesDiffer(plain, tail, 0.99)).toBe(true);
});

it('says nothing of a percentile of few values, or of a difference below a tenth', () => {
  expect(percentilesDiffer(latencies(8, 1e6), latencies(8, 900e6), 0.5)).toBe(false);
  expect(percentilesDiffer(latencies(200, 1e6), latencies(200, 900e6), 0.99)).toBe(false);
  const [a, b] = [new Histogram(), new Histogram()];
  for (let index = 0; index < 5000; index += 1) {
    a.record(1e6);
    b.record(1.08e6);
  }
  expect(percentilesDiffer(a, b, 0.5)).toBe(false);
  expect(percentilesDiffer(new Histogram(), b, 0.5)).toBe(false);
});

it('compares rates of events', () => {
  expect(ratesDiffer({ events: 10, bytes: 1e8 }, { events: 100, bytes: 1e8 })).toBe(true);
  expect(ratesDiffer({ events: 100, bytes: 1e8 }, { events: 150, bytes: 1e8 })).toBe(false);
  expect(ratesDiffer({ events: 0, bytes: 1e8 }, { events: 19, bytes: 1e8 })).toBe(false);
  expect(ratesDiffer({ events: 0, bytes: 0 }, { events: 100, bytes: 1e8 })).toBe(false);
});
