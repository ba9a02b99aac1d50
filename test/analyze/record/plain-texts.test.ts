import { expect, test } from 'vitest';
import { PlainTexts } from '../../../src/analyze/record/plain-texts.ts';
import { maskTarget, maskText } from '../../../src/analyze/record/secrets.ts';
import { Random } from '../../support/random.ts';
import { ORDINARY, SECRETS } from './secret-table.ts';

const both = (text: string) => maskText(maskTarget(text));

test.each([
  ['a target', maskTarget],
  ['any text', both],
])('what is known of %s by its shape is what its mask does, whatever its numbers are', (_, mask) => {
  const random = new Random(41);
  const plain = new PlainTexts(mask);
  const table = [...Object.values(SECRETS), ...Object.values(ORDINARY)].flat().map((text) => text.replace(/[‹›]/g, ''));
  // Pieces of what patterns look for, with what may stand between them.
  const pieces = table.flatMap((text) => text.split(/(?<=[/?&= ])/)).filter((piece) => piece.length < 40);
  const digits = () => Array.from({ length: 1 + random.below(18) }, () => random.below(10)).join('');
  const pick = <Of>(of: readonly Of[]) => of[random.below(of.length)] as Of;
  let known = 0;
  let secret = 0;
  for (let count = 0; count < 20_000; count += 1) {
    const make = [
      () => pick(pieces),
      () => pick(['/', '=', '?n=', '&', '/v', 'state=', '01', '%40', 'sha-256:', 'token/', '?']),
      digits,
    ];
    const parts = Array.from({ length: 2 + random.below(5) }, () => pick(make)());
    const text = (random.below(4) === 0 ? pick(table) : parts.join('')).slice(0, 128);
    plain.masked(text);
    for (let other = 0; other < 3; other += 1) {
      const changed = text.replace(/\d+/g, (number) =>
        random.below(3) > 0 ? number : Array.from(number, () => random.below(10)).join(''),
      );
      const masked = mask(changed);
      if (masked !== changed) secret += 1;
      if (!plain.has(changed)) continue;
      known += 1;
      expect(masked, `${changed} has the shape of ${text}`).toBe(changed);
    }
  }
  expect(known).toBeGreaterThan(5000);
  expect(secret).toBeGreaterThan(5000);
});

test('secrets of the table are never plain, and a text that is masked stays unknown', () => {
  const plain = new PlainTexts(both);
  for (const text of ['/a?token=123456', '/a?pin=1234', '/reset/9f86d081884c7d659a2feaa0c55ad015']) {
    expect(plain.masked(text)).not.toBe(text);
    expect(plain.has(text)).toBe(false);
  }
  expect(plain.masked('/a?n=1')).toBe('/a?n=1');
  expect(plain.has('/a?n=9')).toBe(true);
  expect(plain.has('/a?pin=9')).toBe(false);
});

const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

test.each([
  ['/x?state=123456', '/x?state=1234567'],
  [`/blobs/sha256:${HASH}`, `/blobs/sha255:${HASH}`],
  ['/to?next=http://user:word%25/', '/to?next=http://user:word%40/'],
  ['/a?%31in=7', '/a?%70in=7'],
])('%s is plain, and nothing is known of %s, in which something is masked', (text, secret) => {
  const plain = new PlainTexts(both);
  expect(plain.masked(text)).toBe(text);
  expect(both(secret)).not.toBe(secret);
  expect(plain.has(secret)).toBe(false);
});
