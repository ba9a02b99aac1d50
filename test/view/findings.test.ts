import { expect, test } from 'vitest';
import { Colours } from '../../src/view/colour.ts';
import { findingLines } from '../../src/view/findings.ts';

test('each finding has a line, what fixes it the next, and the last line counts', () => {
  const lines = findingLines(
    [
      { check: 'client', state: 'ok', message: 'ksnoop 1', fix: '' },
      { check: 'rights', state: 'problem', message: 'you may not \u001b[2J', fix: 'kubectl create role' },
      { check: 'extcap', state: 'warning', message: 'old', fix: '' },
    ],
    new Colours(false),
  );
  expect(lines).toEqual([
    'client  ok       ksnoop 1',
    'rights  PROBLEM  you may not \\x1b[2J',
    '                 → kubectl create role',
    'extcap  warning  old',
    '',
    '1 problem, 1 warning',
  ]);
});

test('no problems: the last line says so', () => {
  expect(findingLines([{ check: 'a', state: 'ok', message: 'b', fix: '' }], new Colours(false)).at(-1)).toBe(
    'no problems found',
  );
});
