import { expect, test } from 'vitest';
import { ContentEnd } from '../../../../src/analyze/protocols/smtp/content-end.ts';
import { Random } from '../../../support/random.ts';

const LETTERS = ['\r', '\n', '.', 'a', '\r\n', '\r\n.', '\r\n.\r\n'] as const;

/** Where a message's content ends, by the whole text; -1 where it does not. @param isBegin it begins at a line's beginning */
function reference(text: string, isBegin: boolean): number {
  const before = isBegin ? '\r\n' : '';
  const found = `${before}${text}`.indexOf('\r\n.\r\n');
  return found < 0 ? -1 : found + 5 - before.length;
}

/** What the analyzer finds when the text comes in pieces. */
function found(ending: ContentEnd, text: string, random: Random): number {
  const bytes = Buffer.from(`..${text}\r\n.\r\n`);
  const end = 2 + text.length;
  for (let at = 2; at < end; ) {
    const stop = Math.min(end, at + 1 + random.below(4));
    const place = ending.find(bytes, at, stop);
    if (place >= 0) return place - 2;
    at = stop;
  }
  return -1;
}

test('the end of a message is found where the whole text has it, however it is cut, also behind another one or a gap', () => {
  const random = new Random(5);
  const ending = new ContentEnd();
  let ends = 0;
  for (let round = 0; round < 4000; round += 1) {
    const text = Array.from({ length: 1 + random.below(8) }, () => LETTERS[random.below(LETTERS.length)]).join('');
    const isBegin = random.below(3) > 0;
    if (isBegin) ending.begin();
    else ending.gap();
    const expected = reference(text, isBegin);
    expect(found(ending, text, random), JSON.stringify([text, isBegin])).toBe(expected);
    if (expected >= 0) ends += 1;
  }
  expect(ends).toBeGreaterThan(500);
  // A message that has not begun may be empty.
  expect(new ContentEnd().find(Buffer.from('.\r\n'), 0, 3)).toBe(3);
});
