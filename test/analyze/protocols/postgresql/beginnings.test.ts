import { expect, test } from 'vitest';
import { SEEK_BYTES, serverBegins } from '../../../../src/analyze/protocols/postgresql/beginnings.ts';

const READY = 'Z\0\0\0\x05';

/** CommandComplete with this tag and this length, and what is behind it. */
function complete(tag: string, behind: string, length = tag.length + 5): boolean | undefined {
  const bytes = Buffer.from(`C\0\0\0${String.fromCharCode(length)}${tag}\0${behind}`, 'latin1');
  return serverBegins(bytes, 0, bytes.length, false);
}

test('the last CommandComplete: a tag, its zero byte, ReadyForQuery behind it', () => {
  expect(complete('SELECT 5', READY)).toBe(true);
  expect(complete('S', READY)).toBe(true);
  expect(complete('SELECT 5', '')).toBeUndefined();
  expect(complete('SELECT 5', READY.slice(0, 3))).toBeUndefined();
  expect(complete('SELECT 5', 'T\0\0\0\x05')).toBe(false);
  expect(complete('select 5', READY)).toBe(false);
});

test('a CommandComplete without a tag, or with one too long, is none', () => {
  for (const length of [0, 4, 5]) expect(complete('', READY, length)).toBe(false);
  const longest = 'A'.repeat(SEEK_BYTES - 10 - 5);
  expect(complete(longest, READY)).toBe(true);
  expect(complete(`${longest}A`, READY)).toBe(false);
  expect(complete(`${longest}A`, '')).toBe(false);
});

test('ReadyForQuery has one of three states', () => {
  const ready = (state: string) => serverBegins(Buffer.from(`${READY}${state}`), 0, 5 + state.length, false);
  expect(['I', 'T', 'E', 'A', ''].map(ready)).toEqual([true, true, true, false, undefined]);
});
