import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { inputPaths, matchesPattern } from '../../../src/run/input/paths.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-paths-'));
afterAll(() => rmSync(directory, { recursive: true }));
const at = (name: string) => join(directory, name);
for (const name of ['a-2.pcap', 'a-10.pcap', 'a-1.pcap', 'b.txt', '.hidden', 'odd[1].pcap', 'sub/c.pcap', 'empty/.x']) {
  mkdirSync(join(at(name), '..'), { recursive: true });
  writeFileSync(at(name), '');
}
symlinkSync(at('a-1.pcap'), at('link.pcap'));

const found = (...words: string[]) => inputPaths(words).map(({ path }) => path.slice(directory.length + 1));

test('a pattern stands for the files that match, in natural order', () => {
  expect(found(at('a-*.pcap'))).toEqual(['a-1.pcap', 'a-2.pcap', 'a-10.pcap']);
  expect(found(at('a-[12].pcap'))).toEqual(['a-1.pcap', 'a-2.pcap']);
  expect(found(at('a-?.pcap'))).toEqual(['a-1.pcap', 'a-2.pcap']);
  expect(found(at('s*/*.pcap'))).toEqual(['sub/c.pcap']);
});

test('a directory stands for its files, without hidden ones and other directories', () => {
  expect(found(directory)).toEqual(['a-1.pcap', 'a-2.pcap', 'a-10.pcap', 'b.txt', 'link.pcap', 'odd[1].pcap']);
});

test('what is there is a file, whatever its name; what is not stays as it is; nothing comes twice', () => {
  expect(found(at('odd[1].pcap'))).toEqual(['odd[1].pcap']);
  expect(found(at('none.pcap'))).toEqual(['none.pcap']);
  expect(found(at('a-2.pcap'), at('a-*.pcap'))).toEqual(['a-2.pcap', 'a-1.pcap', 'a-10.pcap']);
  expect(inputPaths(['-'])).toEqual([{ path: '-', named: true }]);
});

test('nothing that matches, and a directory without files, are told', () => {
  for (const word of [at('*.none'), at('empty')]) {
    expect(() => inputPaths([word])).toThrow(expect.objectContaining({ code: 'NO_FILE', exit: 2 }));
  }
});

test.each([
  ['abc', 'a*c', true],
  ['abc', 'a*d', false],
  ['', '*', true],
  ['', '?', false],
  ['a]b', 'a]b', true],
  ['a[b', 'a[b', true],
  ['x', '[a-z]', true],
  ['-', '[a-]', true],
  ['X', '[!a-z]', true],
  ['x', '[^a-z]', false],
  ['aXbXc', '*X*X*', true],
  ['aXbc', '*X*X*', false],
])('%j and %j: %j', (name, pattern, matches) => {
  expect(matchesPattern(name, pattern)).toBe(matches);
});

test('many stars are no trouble', () => {
  expect(matchesPattern('a'.repeat(2_000), `${'*a'.repeat(200)}b`)).toBe(false);
});

test.each([
  ['', '', true],
  ['', '*', true],
  ['', '?', false],
  ['a', '', false],
  ['abc', 'abc', true],
  ['abc', 'ab', false],
  ['abc', 'abcd', false],
  ['abc', 'a*', true],
  ['abc', '*c', true],
  ['abc', 'a*c', true],
  ['abc', 'a*b', false],
  ['abcabc', 'a*bc', true],
  ['abc', '**', true],
  ['abc', 'abc*', true],
  ['abc', 'abc**', true],
  ['abc', '???', true],
  ['abc', '??', false],
  ['b', '[abc]', true],
  ['d', '[abc]', false],
  ['b', '[a-c]', true],
  ['a', '[a-c]', true],
  ['c', '[a-c]', true],
  ['d', '[a-c]', false],
  ['x', '[a-cx-z]', true],
  ['w', '[a-cx-z]', false],
  ['-', '[a-]', true],
  ['a', '[a-]', true],
  ['b', '[a-]', false],
  ['-', '[-a]', true],
  ['d', '[!a-c]', true],
  ['b', '[!a-c]', false],
  ['d', '[^a-c]', true],
  ['b', '[^a-c]', false],
  ['!', '[a!]', true],
  [']', '[]]', true],
  ['a', '[]a]', true],
  ['[', '[', true],
  ['[a', '[a', true],
  ['ab', 'a[b]', true],
  ['a', 'a[b]', false],
  ['xaybz', '*a*b*', true],
  ['xbyaz', '*a*b*', false],
])('%j matches the pattern %j: %s', (name, pattern, expected) => {
  expect(matchesPattern(name, pattern)).toBe(expected);
});
