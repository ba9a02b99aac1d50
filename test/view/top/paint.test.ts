import { expect, test } from 'vitest';
import { Frame } from '../../../src/view/top/frame.ts';
import { LOOK, line, span } from '../../../src/view/top/line.ts';
import { changes } from '../../../src/view/top/paint.ts';

function frameOf(texts: readonly string[], columns = 20, utf8 = true): Frame {
  const frame = new Frame(columns, texts.length, utf8);
  for (const [row, text] of texts.entries()) frame.draw(row, line(span(text)));
  return frame;
}

test('only cells that changed are sent', () => {
  const before = frameOf(['count 12', 'same']);
  expect(changes(before, frameOf(['count 12', 'same']), true)).toBe('');
  expect(changes(before, frameOf(['count 13', 'same']), true)).toBe('\x1b[1;8H\x1b[0m3\x1b[0m');
});

test('a look is a change too, and without colours failures are told all the same', () => {
  const before = frameOf(['500']);
  const after = new Frame(20, 1, true);
  after.draw(0, line(span('500', LOOK.failure)));
  expect(changes(before, after, true)).toContain('\x1b[0;31m500');
  expect(changes(before, after, false)).toContain('\x1b[0;1m500');
});

test('what comes from the network commands nothing', () => {
  const text = changes(undefined, frameOf(['\x1b[2J\x9b31m\u202eabc\x07'], 60), true);
  // Its own codes are ECMA-48's with digits; what was sanitised is text.
  expect(text.replaceAll(/\x1b\[[\d;?]*[HJm]/g, '')).toBe('\\x1b[2J\\x9b31m\\u202eabc\\x07');
});

test('what follows a wide character is placed anew, whatever the terminal makes of it', () => {
  const frame = frameOf(['日本 ok'], 10);
  expect(frame.cells.slice(0, 6)).toEqual(['日', '', '本', '', ' ', 'o']);
  expect(changes(frameOf([''], 10), frame, true)).toContain('日\x1b[1;3H');
  // Half a wide character is never sent.
  const after = frameOf(['日木 ok'], 10);
  expect(changes(frame, after, true)).toContain('木');
  expect(changes(frame, after, true)).not.toContain('日');
});

test('a pile of marks is cut to what writing needs', () => {
  const frame = frameOf([`e${'\u0301'.repeat(500)}x`], 10);
  expect(frame.cells.slice(0, 2)).toEqual(['e\u0301\u0301', 'x']);
});

test('a terminal without UTF-8 gets ASCII', () => {
  const frame = frameOf(['12 µs… ▁█ 日'], 20, false);
  expect(frame.cells.join('').trimEnd()).toBe('12 us~ .@ ?');
});
