import { expect, test } from 'vitest';
import { Prompt } from '../../../src/view/top/prompt.ts';

const key = (name: string) => ({ name, text: name.length === 1 ? name : undefined });

function typed(text: string, ...keys: readonly string[]): Prompt {
  const prompt = new Prompt();
  prompt.open('');
  for (const name of [...text, ...keys]) prompt.key(key(name));
  return prompt;
}

test.each([
  ['abc', [], 'abc'],
  ['abc', ['backspace'], 'ab'],
  ['abc', ['left', 'left', 'x'], 'axbc'],
  ['abc', ['home', 'delete'], 'bc'],
  ['a && b', ['C-w'], 'a && '],
  ['abc', ['left', 'C-u'], 'c'],
  ['abc', ['home', 'z', 'end', 'y'], 'zabcy'],
] as const)('%s and %s is %s', (text, keys, expected) => {
  expect(typed(text, ...keys).text).toBe(expected);
});

test('Enter accepts, Esc gives up, and so does deleting what is not there', () => {
  expect(typed('a').key(key('enter'))).toBe('accepted');
  expect(typed('a').key(key('escape'))).toBe('given up');
  expect(typed('').key(key('backspace'))).toBe('given up');
});

test('what was accepted is recalled', () => {
  const prompt = typed('first', 'enter');
  prompt.open('');
  for (const name of 'second') prompt.key(key(name));
  prompt.key(key('enter'));
  prompt.open('');
  prompt.key(key('up'));
  expect(prompt.text).toBe('second');
  prompt.key(key('up'));
  expect(prompt.text).toBe('first');
  prompt.key(key('down'));
  expect(prompt.text).toBe('second');
});

test('a mistake is shown above what is typed, until something is changed', () => {
  const prompt = typed('http.status >= 5x');
  prompt.mistake = 'at character 17';
  expect(prompt.lines(40)).toHaveLength(2);
  prompt.key(key('backspace'));
  expect(prompt.lines(40)).toHaveLength(1);
});
