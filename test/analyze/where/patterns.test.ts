import { expect, test } from 'vitest';
import { compilePattern } from '../../../src/analyze/where/patterns.ts';

test.each([
  ['^/cart/[0-9]+$', '/cart/17', true],
  ['(?i)CART', '/cart/17', true],
  ['.{1000}', 'x'.repeat(1000), true],
  ['[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', '0e37df36-f698-11e6-8dd4-cb9ced3df976', true],
  ['^cart', '/cart', false],
])('%s in %s: %s', (pattern, text, expected) => {
  expect(compilePattern(pattern)(text)).toBe(expected);
});

test.each(['(a|aa|aaa){1000}', '((((a|b){9}){9}){9})', `(${'[ab]?'.repeat(20)}){1000}`])(
  '%s takes too long for each character, and is refused',
  (pattern) => {
    expect(() => compilePattern(pattern)).toThrow('repetitions make more than 2000 steps of it');
  },
);

test('a pattern is bounded', () => {
  expect(() => compilePattern('x'.repeat(1001))).toThrow('longer than 1000 characters');
});
