import { expect, it } from 'vitest';
import { jsonLine, jsonLines } from '../../src/view/json-line.ts';

it('is the same value, with nothing that a terminal might obey', () => {
  const value = {
    label: 'GET /\x1b[2J\x9b1m\x7f\u202e\u200b\u2028\u{e0041}\ud800 é日本 😀',
    missing: undefined,
    flow: 7,
    list: [1, null, undefined],
  };
  const line = jsonLine(value);
  expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)));
  expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
  expect(line).toContain('é日本 😀');
  expect(line).toContain('\\u202e');
});

it('indented JSON is as safe for a terminal, and parses to the same', () => {
  const value = { a: ['\x9b31m\u202e\x7f', '\x1b[2J'] };
  expect(jsonLines(value)).not.toMatch(/[\x7f-\x9f\p{Cf}]|\x1b/u);
  expect(JSON.parse(jsonLines(value))).toEqual(value);
});
