import { expect, test } from 'vitest';
import { codeOf } from '../../scripts/mutate/code-mask.ts';
import { changed, mutantsOf } from '../../scripts/mutate/mutants.ts';
import { sample, testsOf } from '../../scripts/mutate/sample.ts';

/** A template with a value in it. */
const TEMPLATE = ['`$', '{a + 1}`'].join('');

const root = new URL('../..', import.meta.url).pathname;

/** The file after each change, one line: what stands there, and what comes in its place. */
const changes = (source: string) =>
  mutantsOf('a.ts', source).map(({ kind, line, before, after }) => `${line} ${kind} ${before.trim()} > ${after}`);

test('operators, constants, booleans, negations and statements are changed', () => {
  const source = [
    'export function f(a: number, b: Map<string, number>): boolean {',
    '  if (a < 10 && !b.has("x")) return true;',
    `  b.set(${TEMPLATE}, 0x10);`,
    '  return a === 1_000;',
    '}',
    '',
  ].join('\n');
  expect(changes(source)).toEqual([
    '2 comparison < > <=',
    '2 constant 10 > 11',
    '2 boolean && > ||',
    '2 boolean ! > ',
    '2 boolean true > false',
    `3 statement b.set(${TEMPLATE}, 0x10); > `,
    '3 arithmetic + > -',
    '3 constant 1 > 2',
    '4 comparison === > !==',
    '4 constant 1_000 > 1001',
  ]);
  const [first] = mutantsOf('a.ts', source);
  if (first === undefined) throw new Error('no mutant');
  expect(changed(source, first)).toBe(source.replace('a < 10', 'a <= 10'));
});

test('texts, comments, patterns, imports and types are not', () => {
  const source = [
    "import { a } from './1.ts';",
    '/** Up to 5 && more. */',
    'export interface B {',
    '  readonly c: 1 | 2;',
    '}',
    "const d = 'e === 3 // 4'; // 6 < 7",
    'const g = /[/] 8 === 9/.test(d);',
    'type H = 4;',
    '',
  ].join('\n');
  expect(changes(source)).toEqual([]);
  expect(codeOf(source)).toHaveLength(source.length);
});

test('a sample is what its seed says', () => {
  const all = Array.from({ length: 100 }, (_, index) => index);
  expect(sample(all, 10, 1)).toEqual(sample(all, 10, 1));
  expect(sample(all, 10, 1)).not.toEqual(sample(all, 10, 2));
  expect(new Set(sample(all, 500, 1))).toEqual(new Set(all));
});

test('the tests of a file are its own and those beside it', () => {
  expect(testsOf(root, 'src/wire/lines.ts')).toEqual({ own: 'test/wire/lines.test.ts', beside: 'test/wire/' });
  expect(testsOf(root, 'src/wire/bytes.ts')).toEqual({ own: undefined, beside: 'test/wire/' });
  expect(testsOf(root, 'src/analyze/nothing/here/x.ts').beside).toBe('test/analyze/');
});
