import { expect, test } from 'vitest';
import { FIELD_NAMES } from '../../../src/cli/extcap/arguments.ts';
import { choiceSentences, dialog } from '../../../src/cli/extcap/dialog.ts';
import { sentence } from '../../../src/cli/extcap/sentence.ts';

test('a sentence cannot be broken by what it holds', () => {
  expect(sentence('value', { arg: 1, value: 'a}b{c', display: 'two\nlines', default: undefined })).toBe(
    'value {arg=1}{value=a)b(c}{display=two lines}',
  );
});

test('every field of the dialog has a number and the flag it comes back with', () => {
  const lines = dialog(new Map());
  expect(lines).toHaveLength(FIELD_NAMES.length);
  const calls = lines.map(
    (line, number) => new RegExp(`^arg \\{number=${number}\\}\\{call=--([a-z]+)\\}`).exec(line)?.[1],
  );
  expect(calls.sort()).toEqual([...FIELD_NAMES].sort());
});

test('choices carry the number of their field; what would come back changed is not offered', () => {
  const lines = choiceSentences('target', [
    { value: 'pod/a', display: 'pod/a', chosen: true },
    { value: 'pod/{b}', display: 'b' },
  ]);
  expect(lines).toEqual(['value {arg=0}{value=pod/a}{display=pod/a}{default=true}']);
});
