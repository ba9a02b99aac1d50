import { expect, test } from 'vitest';
import { ACTIVITY_PERIOD_NS, ACTIVITY_PERIODS, Activity } from '../../../src/analyze/summary/activity.ts';

function counted() {
  const totals = new Map<string, number>();
  const activity = new Activity(() => totals);
  const happen = (period: number, count: number) => {
    activity.advance(period * ACTIVITY_PERIOD_NS);
    totals.set('web', (totals.get('web') ?? 0) + count);
  };
  return { activity, happen, total: () => totals.get('web') ?? 0 };
}

test('counts are of the period they happened in', () => {
  const { activity, happen, total } = counted();
  happen(0, 3);
  happen(0.5, 2);
  happen(1, 7);
  happen(4, 1);
  expect(activity.reading('web', total(), 4 * ACTIVITY_PERIOD_NS).counts).toEqual([5, 7, 0, 0]);
});

test('a rate is of the last periods and the one under way', () => {
  const { activity, happen, total } = counted();
  happen(0, 1000);
  happen(1, 50);
  happen(2, 50);
  happen(3, 20);
  const reading = activity.reading('web', total(), 3.2 * ACTIVITY_PERIOD_NS);
  expect(reading.rate).toBeCloseTo((50 + 50 + 20) / 11);
});

test('an hour of silence leaves nothing, and no more periods than are kept', () => {
  const { activity, happen, total } = counted();
  happen(0, 5);
  happen(720, 1);
  const { counts } = activity.reading('web', total(), 720 * ACTIVITY_PERIOD_NS);
  expect(counts).toHaveLength(ACTIVITY_PERIODS);
  expect(counts.reduce((sum, count) => sum + count)).toBe(0);
});
