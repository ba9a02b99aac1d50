import { expect, test } from 'vitest';
import { namePattern, parseTargets } from '../../../src/capture/targets/target-words.ts';

const parse = (...words: string[]) => parseTargets(words, false).map(({ kind, name }) => `${kind} ${name}`);

test.each([
  [['pod/web-1'], ['pod web-1']],
  [
    ['po/web-1', 'PODS/web-2'],
    ['po web-1', 'PODS web-2'],
  ],
  [
    ['pod', 'web-1', 'web-2'],
    ['pod web-1', 'pod web-2'],
  ],
  // After a kind every word is a name, also one that is called like a kind.
  [['pods', 'pod'], ['pods pod']],
  [
    ['deploy/web', 'svc/api'],
    ['deploy web', 'svc api'],
  ],
  [['deploy/web,svc/api'], ['deploy web', 'svc api']],
  [
    ['deploy,sts', 'web', 'db'],
    ['deploy web', 'deploy db', 'sts web', 'sts db'],
  ],
  [
    ['deploy', 'web,api'],
    ['deploy web', 'deploy api'],
  ],
  [['deploy/web-*'], ['deploy web-*']],
  [['rollouts.argoproj.io/web'], ['rollouts.argoproj.io web']],
  [['rollout', 'web'], ['rollout web']],
])('%j as kubectl takes it', (words, targets) => {
  expect(parse(...words)).toEqual(targets);
});

test('a selector makes a kind alone mean all of them, and nothing at all pods', () => {
  expect(parseTargets(['deploy,sts'], true)).toEqual([
    { kind: 'deploy', name: '*' },
    { kind: 'sts', name: '*' },
  ]);
  expect(parseTargets([], true)).toEqual([{ kind: 'pod', name: '*' }]);
  expect(parseTargets([], false)).toEqual([]);
});

test.each([
  ['web-1', 'Write a pod as pod/web-1.'],
  ['po', "Write pod/NAME, or 'pod/*' for all of them."],
  ['svc', 'Write service/NAME'],
  ['pod/', 'Write pod/NAME'],
  ['pod/a/b', 'Write pod/NAME.'],
  ['netns/client', 'add --local'],
  ['host', 'add --local'],
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

test.each([
  ['web-*', ['web-1', 'web-'], ['web', 'xweb-1']],
  ['web-?', ['web-1'], ['web-12', 'web-']],
  ['web-[ab]', ['web-a'], ['web-c', 'web-[ab]']],
  ['web-[!a-c]', ['web-d'], ['web-a']],
  ['*', ['anything', ''], []],
  ['a.b*', ['a.bc'], ['axbc']],
  ['web-[', ['web-['], ['web-1']],
])('the pattern %s', (pattern, fits, not) => {
  const matches = namePattern(pattern);
  expect(fits.filter(matches)).toEqual(fits);
  expect(not.filter(matches)).toEqual([]);
});

test('a pattern takes little time for every name, whatever it is', () => {
  // A regular expression would try more ways than could be counted in years.
  expect(namePattern(`${'*a'.repeat(120)}*b`)('a'.repeat(253))).toBe(false);
  expect(namePattern(`${'*a'.repeat(120)}*`)('a'.repeat(253))).toBe(true);
  expect(namePattern('*ab*abc')('xabababc')).toBe(true);
  expect(namePattern('[z-a]*')('a')).toBe(false);
});
