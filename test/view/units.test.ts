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
