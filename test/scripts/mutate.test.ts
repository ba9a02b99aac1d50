import { stripTypeScriptTypes } from 'node:module';
import { expect, test } from 'vitest';
import { changed, mutantsOf } from '../../scripts/mutate/mutants.ts';
import { sample, testsOf } from '../../scripts/mutate/sample.ts';
import { withSwitches } from '../../scripts/mutate/switches.ts';

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
    `3 statement b.set(${TEMPLATE}, 0x10); > ;`,
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
    'const i = j as 5 | true;',
    'class K extends L<7> { constructor() { super(); } declare m: 8; }',
    '',
  ].join('\n');
  expect(changes(source)).toEqual([]);
});

/** Code in which changes are within each other, and stand where a bare expression may not. */
const NESTED = [
  'interface Point { readonly x: 1 }',
  'const f = (a: number, b: number[]): unknown => {',
  '  const seen: unknown[] = [];',
  '  let total = 0 as number;',
  '  for (let at = 0; at < b.length && at < 4; at += 1) total += (b[at] ?? 1) * a - 2;',
  '  if (!(total > 3) || a === 1) seen.push(total + 1); else seen.push({ 5: true, a }[5]);',
  '  if (a > 2)',
  '    if (b.length > 1) seen.push(1);',
  '    else seen.push(2);',
  '  return [seen, total, a * 2 - (b as readonly number[]).length!];',
  '};',
  '',
].join('\n');

test('a change that is turned on does what the changed file does, and others do nothing', () => {
  const mutants = mutantsOf('a.ts', NESTED);
  expect(mutants.length).toBeGreaterThan(35);
  const result = (source: string, mutant?: number) => {
    const run = new Function(
      'globalThis',
      `${stripTypeScriptTypes(source)}; return [0, 1, 2, 3].map((a) => f(a, [a, 1, 2]))`,
    );
    return JSON.stringify(run({ __ksnoopMutant: mutant }));
  };
  const switched = withSwitches('a.ts', NESTED, (index) => index, false);
  expect(switched.split('\n')).toHaveLength(NESTED.split('\n').length);
  expect(result(switched)).toBe(result(NESTED));
  for (const [id, mutant] of mutants.entries()) {
    // Without its step the loop does not end.
    if (mutant.before.startsWith('+=') && mutant.line === 5) continue;
    expect(result(switched, id), JSON.stringify(mutant)).toBe(result(changed(NESTED, mutant)));
  }
});

test('which changes were reached is written down', () => {
  const source = 'const f = (a: number) => { if (a > 1) return a + 2; return a - 3; };\n';
  const hits: number[] = [];
  const run = new Function(
    'globalThis',
    `${stripTypeScriptTypes(withSwitches('a.ts', source, (index) => index, true))}; f(5)`,
  );
  run({ __ksnoopHits: hits });
  const reached = mutantsOf('a.ts', source).filter((_, index) => hits[index] === 1);
  expect(reached.map(({ before }) => before)).toEqual(['>', '1', '+', '2']);
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
