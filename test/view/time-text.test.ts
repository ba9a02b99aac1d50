import { describe, expect, it } from 'vitest';
import { Colours } from '../../src/view/colour.ts';
import { clockText, DayLines, timeText } from '../../src/view/time-text.ts';

const TIME = '2026-07-02T14:03:07.123456789Z';
const NANOSECONDS = BigInt(Date.parse('2026-07-02T14:03:07Z')) * 1_000_000n + 123_456_789n;

it('a time of day is local, or UTC', () => {
  const local = new Date(TIME).toTimeString().slice(0, 8);
  expect(clockText(TIME)).toBe(`${local}.123456`);
  expect(clockText(TIME, true)).toBe('14:03:07.123456');
  expect(timeText(NANOSECONDS)).toBe(`${local}.123456789`);
  expect(timeText(NANOSECONDS, true)).toBe('14:03:07.123456789');
  expect(timeText(NANOSECONDS, true, 6)).toBe('14:03:07.123456');
});

describe('the line of a day', () => {
  const days = (first: boolean) => {
    const made = new DayLines(true, first, new Colours(false));
    return (time: string) => made.beforeText(`${time}.000000000Z`);
  };

  it('stands before the first line, and where the day changes', () => {
    const lineAt = days(true);
    expect(lineAt('2026-07-02T23:59:58')).toBe('2026-07-02 Thursday UTC');
    expect(lineAt('2026-07-02T23:59:59')).toBeUndefined();
    expect(lineAt('2026-07-03T00:00:00')).toBe('2026-07-03 Friday UTC');
    expect(lineAt('2026-07-03T12:00:00')).toBeUndefined();
    // A line that comes late.
    expect(lineAt('2026-07-02T23:59:59')).toBe('2026-07-02 Thursday UTC');
  });

  it('of a running capture only where it changes', () => {
    const lineAt = days(false);
    expect(lineAt('2026-07-02T23:59:58')).toBeUndefined();
    expect(lineAt('2026-07-03T00:00:00')).toBe('2026-07-03 Friday UTC');
  });

  it('names the zone of local times', () => {
    const line = new DayLines(false, true, new Colours(false)).beforeText(TIME);
    expect(line).toMatch(/^2026-07-0[123] [A-Z][a-z]+day UTC[+-]\d\d:\d\d$/);
  });

  it('of a time that is none is not there', () => {
    expect(new DayLines(true, true, new Colours(false)).before(Number.NaN)).toBeUndefined();
  });
});
