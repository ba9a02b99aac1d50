import { describe, expect, it } from 'vitest';
import { Histogram } from '../../../src/analyze/summary/histogram.ts';
import { Random } from '../../support/random.ts';

/** Durations from 1 ns to hours, evenly in their logarithm. */
function durations(seed: number, count: number): number[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => 2 ** (random.below(430_000) / 10_000));
}

describe('a histogram', () => {
  it('tells percentiles within 1.1 % of the value at their rank', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const values = durations(seed, 1 + seed * 37);
      const histogram = new Histogram();
      for (const value of values) histogram.record(value);
      values.sort((a, b) => a - b);
      for (const share of [0.01, 0.5, 0.9, 0.99, 1]) {
        const exact = values[Math.max(1, Math.ceil(share * values.length)) - 1] as number;
        expect(Math.abs(histogram.percentile(share) - exact)).toBeLessThanOrEqual(0.5 + exact * 0.011);
      }
      expect(histogram.max).toBe(values.at(-1));
      expect(histogram.percentiles()?.mean).toBe(Math.round(values.reduce((a, b) => a + b) / values.length));
    }
  });

  it('of two is the same as of all at once, in either order', () => {
    const [few, many] = [durations(1, 300).map((value) => 1000 + (value % 1000)), durations(2, 300)];
    const all = new Histogram();
    for (const value of [...few, ...many]) all.record(value);
    for (const [first, second] of [[few, many] as const, [many, few] as const, [[], few.concat(many)] as const]) {
      const [a, b] = [new Histogram(), new Histogram()];
      for (const value of first) a.record(value);
      for (const value of second) b.record(value);
      a.merge(b);
      a.merge(new Histogram());
      expect(a.percentiles()).toEqual(all.percentiles());
      for (let share = 0; share <= 1; share += 0.01) expect(a.percentile(share)).toBe(all.percentile(share));
    }
  });

  it('takes what is no duration', () => {
    const histogram = new Histogram();
    expect(histogram.percentiles()).toBeUndefined();
    for (const value of [0, -5, Number.NaN, 2 ** 60]) histogram.record(value);
    expect(histogram.percentiles()).toMatchObject({ count: 4, p50: 1, max: 2 ** 60 });
    const zero = new Histogram();
    zero.record(0);
    expect(zero.percentiles()).toEqual({ count: 1, p50: 0, p90: 0, p99: 0, max: 0, mean: 0 });
  });

  it('has the buckets of scale 5: above 2^(i/32) s and at most 2^((i+1)/32) s', () => {
    for (let bucket = -900; bucket <= 700; bucket += 1) {
      const end = 2 ** ((bucket + 1) / 32) * 1e9;
      for (const [nanoseconds, offset] of [
        [end * (1 - 1e-9), bucket],
        [end * (1 + 1e-9), bucket + 1],
      ] as const) {
        const histogram = new Histogram();
        histogram.record(nanoseconds);
        expect(histogram.state()).toEqual({ count: 1, sum: nanoseconds, max: nanoseconds, offset, counts: [1] });
      }
    }
    // Powers of two are exact, and belong to the bucket that ends there.
    for (const [nanoseconds, offset] of [
      [1e9, -1],
      [5e8, -33],
      [2e9, 31],
      [1e9 / 512, -289],
    ] as const) {
      const histogram = new Histogram();
      histogram.record(nanoseconds);
      expect(histogram.state().offset).toBe(offset);
    }
  });

  it('counts the same buckets whether merged from parts or recorded at once', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const values = durations(seed, 500);
      const all = new Histogram();
      const parts = Array.from({ length: 7 }, () => new Histogram());
      for (const [index, value] of values.entries()) {
        all.record(value);
        parts[(index * seed) % 7]?.record(value);
      }
      const merged = new Histogram();
      for (const part of parts) merged.merge(part);
      const { sum, ...counted } = merged.state();
      const { sum: whole, ...expected } = all.state();
      expect(counted).toEqual(expected);
      expect(Math.abs(sum - whole)).toBeLessThanOrEqual(whole * 1e-12);
    }
  });

  it('holds only the powers of two that it has seen', () => {
    const histogram = new Histogram();
    for (const nanoseconds of [2e6, 3e6]) histogram.record(nanoseconds);
    expect(histogram.held).toBeLessThanOrEqual(64);
    histogram.record(1e9);
    expect(histogram.held).toBeGreaterThan(64);
  });
});
