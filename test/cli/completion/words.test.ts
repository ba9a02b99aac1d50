import { expect, test } from 'vitest';
import { endsInQuotes, keptByBash, withoutOpenQuote, wordsOf } from '../../../src/cli/completion/words.ts';

test.each([
  ['ksnoop ', ['']],
  ['ksnoop svc/w', ['svc/w']],
  ['ksnoop  -n   shop ', ['-n', 'shop', '']],
  ['ksnoop --where \'a == "b" && c\' sv', ['--where', 'a == "b" && c', 'sv']],
  ['ksnoop -f "tcp port 80', ['-f', 'tcp port 80']],
  ['ksnoop a\\ b', ['a b']],
  ['KUBECONFIG=x ksnoop po', ['po']],
  ['/usr/local/bin/ksnoop po', ['po']],
  ['cat ksnoop | ksnoop read ', ['read', '']],
  ['true && ksnoop po', ['po']],
  ['for a in $(ksnoop po', ['po']],
])('of "%s" the words are %j', (line, words) => {
  expect(wordsOf(line, 'ksnoop')).toEqual(words);
});

test('what Bash keeps of a word reaches to its last word break', () => {
  expect(keptByBash('--context=arn:aws:c', ' =:')).toBe('--context=arn:aws:'.length);
  expect(keptByBash('svc/w', ' =:')).toBe(0);
});

test.each([
  ["ksnoop --where 'failed && lat", true],
  ['ksnoop --where "a == \\"b', true],
  ["ksnoop --where 'a' b", false],
  ["ksnoop it\\'s", false],
  ["ksnoop 'a\\' b", false],
])('whether %j ends in quotes: %s', (line, quoted) => {
  expect(endsInQuotes(line)).toBe(quoted);
});

test.each([
  [[], ['']],
  [
    ['read', "'failed && lat"],
    ['read', 'failed && lat'],
  ],
  [["'a'"], ["'a'"]],
  [["it's"], ["it's"]],
])('the words of %j', (words, expected) => {
  expect(withoutOpenQuote(words)).toEqual(expected);
});
