import { expect, test } from 'vitest';
import { cellWidth, cutMiddle, cutToCells } from '../../src/view/text-width.ts';

test('a text takes as many cells as a terminal gives it', () => {
  expect(cellWidth('GET /cart')).toBe(9);
  expect(cellWidth('héllo')).toBe(5);
  expect(cellWidth('日本語')).toBe(6);
  expect(cellWidth('한국어')).toBe(6);
  expect(cellWidth('🎉')).toBe(2);
  // e and a combining acute: one cell.
  expect(cellWidth('e\u0301')).toBe(1);
  expect(cellWidth('▁▂█…')).toBe(4);
});

test('a text is cut at a whole cell', () => {
  expect(cutToCells('日本語', 6)).toBe('日本語');
  expect(cutToCells('日本語', 5)).toBe('日本…');
  // The second half of a wide character has no room: a cell stays free.
  expect(cutToCells('日本語', 4)).toBe('日…');
  expect(cutToCells('GET /cart', 5)).toBe('GET …');
  expect(cutToCells('GET', 0)).toBe('');
});

test('a text is cut in its middle, both ends stay', () => {
  expect(cutMiddle('shop/web-7997b97dcc-4wwvv', 25)).toBe('shop/web-7997b97dcc-4wwvv');
  expect(cutMiddle('shop/web-7997b97dcc-4wwvv', 12)).toBe('shop/w…4wwvv');
  expect(cutMiddle('shop/web-7997b97dcc-4wwvv', 12, 2)).toBe('shop/web-…vv');
  expect(cutMiddle('日本語中文字', 8)).toBe('日本…字');
  // A mark stays with the letter that carries it.
  expect(cutMiddle(`abcdefghe\u0301`, 4)).toBe('ab…e\u0301');
  expect(cutMiddle('abc', 0)).toBe('');
});
