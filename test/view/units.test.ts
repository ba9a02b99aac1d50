import { expect, it } from 'vitest';
import { cutToCells } from '../../src/view/text-width.ts';
import { latencyText } from '../../src/view/units.ts';

it.each([
  [0, '0 ns'],
  [850, '850 ns'],
  [999.6, '1.0 µs'],
  [12_345, '12 µs'],
  [999_600, '1.0 ms'],
  [1_200_000, '1.2 ms'],
  [9_960_000, '10 ms'],
  [350e6, '350 ms'],
  [2.31e9, '2.3 s'],
  [59e9, '59 s'],
  [75e9, '1 min 15 s'],
  [59.9 * 60e9, '59 min 54 s'],
  [3600e9, '1 h 0 min'],
  [11_530e9, '3 h 12 min'],
  [52 * 3600e9, '2 d 4 h'],
])('%d ns is %s', (nanoseconds, text) => {
  expect(latencyText(nanoseconds)).toBe(text);
});

it('cuts between characters', () => {
  expect(cutToCells('abcdef', 6)).toBe('abcdef');
  expect(cutToCells('abcdefg', 6)).toBe('abcde…');
  expect(cutToCells('abcd😀efg', 6)).toBe('abcd…');
  expect(cutToCells('abc😀efg', 6)).toBe('abc😀…');
});

it('a latency is the nearest tenth, or whole number, of its unit', () => {
  const plain = (nanoseconds: number): string | undefined => {
    for (const [unit, size] of [
      ['µs', 1e3],
      ['ms', 1e6],
      ['s', 1e9],
    ] as const) {
      const value = nanoseconds / size;
      if (value < 9.95) return `${value.toFixed(1)} ${unit}`;
      if (value < 999.5 && (unit !== 's' || value < 59.5)) return `${value.toFixed(0)} ${unit}`;
    }
    return undefined;
  };
  for (let nanoseconds = 1000; nanoseconds < 20_000; nanoseconds += 1) {
    for (const size of [1, 50, 1e3, 1e6]) {
      for (const shift of [-0.5, 0, 0.1, 1]) {
        const text = plain(nanoseconds * size + shift);
        if (text !== undefined && nanoseconds * size + shift > 1000) {
          expect(latencyText(nanoseconds * size + shift), String(nanoseconds * size + shift)).toBe(text);
        }
      }
    }
  }
});
