import { expect, test } from 'vitest';
import { CacheOfTexts } from '../../../src/analyze/record/text-cache.ts';

/** Looks up a text, and notes that it was made. */
function counting() {
  const cache = new CacheOfTexts();
  let made = 0;
  return {
    of: (text: string) =>
      cache.of(text, '', () => {
        made += 1;
        return text.toUpperCase();
      }),
    known: (text: string) => cache.known(text),
    get made() {
      return made;
    },
  };
}

test('texts that come again are made once', () => {
  const cache = counting();
  for (let index = 0; index < 100_000; index += 1)
    expect(cache.of(`text ${index % 1000}`)).toBe(`TEXT ${index % 1000}`);
  expect(cache.made).toBe(1000);
  expect(cache.known('text 7')).toBe('TEXT 7');
});

test('texts of which none comes again are made without being remembered, and remembered again later', () => {
  const cache = counting();
  for (let index = 0; index < 10_000; index += 1) expect(cache.of(`text ${index}`)).toBe(`TEXT ${index}`);
  expect(cache.known('text 9999')).toBeUndefined();
  for (let index = 0; index < 200_000; index += 1) expect(cache.of(`text ${index % 10}`)).toBe(`TEXT ${index % 10}`);
  expect(cache.known('text 7')).toBe('TEXT 7');
  expect(cache.made).toBeLessThan(90_000);
});
