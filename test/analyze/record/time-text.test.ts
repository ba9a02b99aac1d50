import { expect, test } from 'vitest';
import { absoluteTimeText, TimeTexts } from '../../../src/analyze/record/time-text.ts';
import { Random } from '../../support/random.ts';

test('a time is the same text whichever was made before it', () => {
  const random = new Random(11);
  const texts = new TimeTexts();
  // 1833, 1969, 1970, 2026, 9999, 10000 and -1: years of more than four digits have longer texts.
  const seconds = [-4_303_000_000, -1, 0, 1_783_000_987, 253_402_300_799, 253_402_300_800, -62_198_755_200, 1e15];
  const nanoseconds = [0, 1, 9, 10, 99_999_999, 100_000_000, 123_456_789, 999_999_999];
  for (let count = 0; count < 2000; count += 1) {
    const second = seconds[random.below(seconds.length)] ?? 0;
    const within = count % 2 === 0 ? random.below(1e9) : (nanoseconds[random.below(nanoseconds.length)] ?? 0);
    const text = texts.of(second, within);
    expect(text.slice(-11)).toBe(`.${String(within).padStart(9, '0')}Z`);
    const date = new Date(second * 1000);
    const whole = Number.isNaN(date.getTime()) ? '1970-01-01T00:00:00' : date.toISOString().slice(0, -5);
    expect(text.slice(0, -11)).toBe(whole);
    // Before 1970 the nanoseconds of absoluteTimeText count within the second, too.
    expect(text).toBe(absoluteTimeText(BigInt(second) * 1_000_000_000n + BigInt(within)));
  }
});
