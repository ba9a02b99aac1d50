import { expect, test } from 'vitest';
import { behindQueryAttributes } from '../../../../src/analyze/protocols/mysql/query-attributes.ts';

/** Of zeek's capture query-attr.pcap, behind the command. */
const TWO = '0201 00 01 fe00 02 6e31 fe00 02 6e32 02 7631 02 7632';
const STATEMENT = Buffer.from('select now()');

function statement(attributes: string): string {
  const bytes = Buffer.concat([Buffer.from(attributes.replaceAll(' ', ''), 'hex'), STATEMENT]);
  return bytes.toString('latin1', behindQueryAttributes(bytes, 0, bytes.length));
}

test('a statement is read behind query attributes of any types', () => {
  expect(statement('0001')).toBe('select now()');
  expect(statement(TWO)).toBe('select now()');
  // An int, a null, a double, a date and a text.
  const types = '0300 0161 0600 0162 0500 0163 0a00 0164 0f00 0165';
  expect(statement(`0501 02 01 ${types} 2a000000 0000000000000840 04 e9070101 03 616263`)).toBe('select now()');
});

test('what is no query attributes is left as it is, cut anywhere', () => {
  expect(statement('')).toBe('select now()');
  expect(statement('0201 00 00')).toContain('select now()');
  const bytes = Buffer.from(TWO.replaceAll(' ', ''), 'hex');
  for (let end = 0; end < bytes.length; end += 1) expect(behindQueryAttributes(bytes, 0, end)).toBe(0);
});
