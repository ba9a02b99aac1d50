import { expect, test } from 'vitest';
import { latin1 } from '../../../src/analyze/record/text.ts';
import { TextTable } from '../../../src/analyze/record/text-table.ts';
import { Random } from '../../support/random.ts';

/** A table, and how often it made a text. */
function counting(width?: number) {
  const made: string[] = [];
  const table = new TextTable((bytes, start, end) => {
    const text = latin1(bytes, start, end);
    made.push(text);
    return text;
  }, width);
  return { made, of: (text: string) => table.text(Buffer.from(`--${text}--`, 'latin1'), 2, 2 + text.length) };
}

test('a text that comes again is not made again, whatever its length', () => {
  const { made, of } = counting();
  const texts = Array.from({ length: 96 }, (_, length) =>
    'SELECT * FROM items WHERE id = 1 AND name'.repeat(3).slice(0, length),
  );
  // One after the other: two texts may have one place.
  for (const text of texts) expect([of(text), of(text)]).toEqual([text, text]);
  expect(made).toEqual(['', ...texts]);
});

test('texts that differ in one byte are told apart', () => {
  const { of } = counting();
  const text = 'UPDATE items SET price = price + 1 WHERE id = 1234567';
  for (let at = 0; at < text.length; at += 1) {
    for (const character of ['\x00', '~', '\xff']) {
      const other = text.slice(0, at) + character + text.slice(at + 1);
      expect([of(text), of(other), of(text)]).toEqual([text, other, text]);
    }
  }
  expect([of('a'), of('\x00a'), of('a\x00')]).toEqual(['a', '\x00a', 'a\x00']);
});

test('where texts do not come again they are made without looking them up, until later', () => {
  const { made, of } = counting();
  const isMade = (text: string) => {
    const before = made.length;
    expect(of(text)).toBe(text);
    return made.length > before;
  };
  for (let count = 0; count < 4096; count += 1) of(`/items/${count}`);
  expect([isMade('/cart'), isMade('/cart')]).toEqual([true, true]);
  for (let count = 2; count < 16 * 4096; count += 1) of(`/items/${count}`);
  expect([isMade('/cart'), isMade('/cart')]).toEqual([true, false]);
});

test('texts of which some come again are looked up however many there are', () => {
  const { made, of } = counting();
  for (let count = 0; count < 20_000; count += 1) {
    of(`/items/${count}`);
    if (count % 8 === 0) of('/cart');
  }
  const before = made.length;
  of('/cart');
  of('/cart');
  expect(made.length - before).toBeLessThan(2);
});

test('what is longer than the table is made each time, and more texts than it has places are right', () => {
  const { made, of } = counting(10);
  for (const text of ['0123456789', '0123456789', '0123456789a', '0123456789a']) expect(of(text)).toBe(text);
  expect(made).toHaveLength(3);
  const random = new Random(7);
  for (let count = 0; count < 30_000; count += 1) {
    const text = String(random.below(20_000));
    expect(of(text) === text).toBe(true);
  }
});
