import { expect, test } from 'vitest';
import { TARGET_KINDS, targetKind } from '../../src/capture/kinds/index.ts';
import { parseTargets } from '../../src/capture/target.ts';

const kinds = TARGET_KINDS.map(({ name }) => name);
const parse = (...words: string[]) => parseTargets(words, (word) => targetKind(word)?.name, kinds);
const pods = (...names: string[]) => names.map((name) => ({ kind: 'pod', name }));

test.each([
  [['pod/web-1'], pods('web-1')],
  [['po/web-1', 'PODS/web-2'], pods('web-1', 'web-2')],
  [['pod', 'web-1', 'web-2'], pods('web-1', 'web-2')],
  // After a kind every word is a name, also one that is called like a kind.
  [['pods', 'pod'], pods('pod')],
])('%j as kubectl takes it', (words, targets) => {
  expect(parse(...words)).toEqual(targets);
});

test.each([
  ['web-1', 'Write a pod as pod/web-1.'],
  ['po', 'Write pod/NAME.'],
  ['pod/', 'Write pod/NAME.'],
  ['pod/a/b', 'Write pod/NAME.'],
  ['netns/client', 'add --local'],
  ['host', 'add --local'],
  ['volume/x', `Kinds that can be captured: ${kinds.join(', ')}.`],
  ['/web', 'Kinds that can be captured'],
])('"%s" is wrong use, with a word on what would be right', (word, hint) => {
  expect(() => parse(word)).toThrow(
    expect.objectContaining({
      code: 'BAD_TARGET',
      exit: 2,
      message: expect.stringContaining(`"${word}"`),
      hint: expect.stringContaining(hint),
    }),
  );
});

test('one wrong word among right ones is not passed over', () => {
  expect(() => parse('pod/web-1', 'web-2')).toThrow(expect.objectContaining({ code: 'BAD_TARGET' }));
  expect(() => parse('pod', 'web-1', 'pod/web-2')).toThrow(expect.objectContaining({ code: 'BAD_TARGET' }));
});
