import { expect, test } from 'vitest';
import { CONTROL_LINE_MAXIMUM } from '../../src/wire/limits.ts';
import { lineSplitter } from '../../src/wire/lines.ts';
import { Random } from '../support/random.ts';

const MAXIMUM = 40;

/** What came out before the first error, and its code. */
function split(chunks: Iterable<Uint8Array>): string[] {
  const lines: string[] = [];
  const push = lineSplitter((line) => lines.push(line), MAXIMUM);
  try {
    for (const chunk of chunks) push(chunk);
  } catch (thrown) {
    lines.push(thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'something else');
  }
  return lines;
}

test('the same lines, and the same refusal of one that is too long, however the bytes are cut', () => {
  const random = new Random(5);
  const letters = ['a', 'ß', '☃', '🦈', '\r'];
  let refused = 0;
  for (let round = 0; round < 300; round += 1) {
    const longest = round % 2 === 0 ? MAXIMUM / 2 : MAXIMUM;
    const lines = Array.from({ length: 1 + random.below(6) }, () =>
      Array.from({ length: random.below(longest) }, () => letters[random.below(letters.length)]).join(''),
    );
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    const whole = split([bytes]);
    const tooLong = lines.findIndex((line) => line.length > MAXIMUM);
    const expected = lines.slice(0, tooLong < 0 ? lines.length : tooLong).filter((line) => line !== '');
    expect(whole).toEqual(tooLong < 0 ? expected : [...expected, 'LINE_TOO_LONG']);
    if (tooLong >= 0) refused += 1;
    for (const size of [1, 2, 7]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      expect(split(chunks)).toEqual(whole);
    }
  }
  expect(refused).toBeGreaterThan(10);
});

test('a long line in small pieces is not searched again with each of them', () => {
  const lines: number[] = [];
  const push = lineSplitter((line) => lines.push(line.length));
  const piece = Buffer.from('0123456789abcdef');
  // Searched from its beginning each time, it would take minutes.
  for (let at = 0; at < CONTROL_LINE_MAXIMUM; at += piece.length) push(piece);
  push(Buffer.from('\n'));
  expect(lines).toEqual([CONTROL_LINE_MAXIMUM]);
});

test('a line as long as allowed passes, one longer does not', () => {
  expect(split([Buffer.from(`${'x'.repeat(MAXIMUM)}\n`)])).toEqual(['x'.repeat(MAXIMUM)]);
  expect(split([Buffer.from(`${'x'.repeat(MAXIMUM + 1)}\n`)])).toEqual(['LINE_TOO_LONG']);
});

test('who goes on after a refusal does not gather the line', () => {
  const lines: string[] = [];
  const push = lineSplitter((line) => lines.push(line), MAXIMUM);
  const chunk = Buffer.alloc(MAXIMUM, 'x');
  push(chunk);
  expect(() => push(chunk)).toThrow();
  // Nothing of it is left: there is room for a whole line again.
  push(chunk);
  push(Buffer.from('\n'));
  expect(lines).toEqual(['x'.repeat(MAXIMUM)]);
});

test('bytes that are no UTF-8 are replaced, and the next line is whole', () => {
  expect(split([Buffer.from([0xff, 0xc3, 0x0a, 0x6f, 0x6b, 0x0a])])).toEqual([expect.stringContaining('\ufffd'), 'ok']);
});
