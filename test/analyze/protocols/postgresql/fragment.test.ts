import { expect, test } from 'vitest';
import type { PostgresqlAnswer } from '../../../../src/analyze/protocols/postgresql/cycle.ts';
import { Fragment } from '../../../../src/analyze/protocols/postgresql/fragment.ts';

const ERROR = { sqlstate: '42P01', message: 'no such table', severity: 'ERROR' };

/** Messages of these types, of 10, 11, … bytes, that came at 100 to 109, 110 to 119, … ns. */
function fragment(types: string, change: Partial<PostgresqlAnswer> = {}): Fragment {
  const made = new Fragment(1000, 77, false);
  for (const [index, type] of [...types].entries()) {
    made.add({
      type,
      length: 10 + index,
      time: 100 + index * 10,
      last: 109 + index * 10,
      tag: type === 'C' ? `SELECT ${index}` : '',
      error: type === 'E' ? ERROR : undefined,
      whole: true,
      ...(index === types.length - 1 ? change : {}),
    });
  }
  return made;
}
const kept = ({ messages }: Fragment) => messages.map(({ type, length, time, last }) => [type, length, time, last]);

test('bytes and times are those of all its messages', () => {
  expect(fragment('TDC')).toMatchObject({
    start: 1000,
    acknowledged: 77,
    clean: false,
    bytes: 33,
    time: 100,
    last: 129,
  });
  expect(new Fragment(5, -1, true)).toMatchObject({
    start: 5,
    acknowledged: -1,
    clean: true,
    bytes: 0,
    time: undefined,
  });
});

test.each([
  ['C', 'SELECT 0', true],
  ['CZ', 'SELECT 0', true],
  ['CT', '', true],
  ['CTC', 'SELECT 2', true],
  ['CE', '', true],
  ['TDZ', '', false],
])('of %s the last command is %j', (types, tag, completed) => {
  expect(fragment(types)).toMatchObject({ tag, completed });
});

test.each([
  ['TE', {}, ERROR, 119, false],
  ['TE', { whole: false }, ERROR, 119, true],
  ['EC', {}, ERROR, 109, false],
  ['TC', { whole: false }, undefined, undefined, true],
  ['TD', { whole: false }, undefined, undefined, false],
])(
  'of %s with %j behind it: its error, when that ended, and whether something of the outcome is missing',
  (types, change, error, errorEnd, holed) => {
    expect(fragment(types, change)).toMatchObject({ error, errorEnd, holed });
  },
);

test('rows in a row, and data of a copy, are kept as one; others each', () => {
  expect(kept(fragment('TDDDC'))).toEqual([
    ['T', 10, 100, 109],
    ['D', 36, 110, 139],
    ['C', 14, 140, 149],
  ]);
  expect(kept(fragment('ddDD'))).toEqual([
    ['d', 21, 100, 119],
    ['D', 25, 120, 139],
  ]);
  expect(kept(fragment('CC')).map(([type]) => type)).toEqual(['C', 'C']);
});

test('256 messages are kept, and it is known where there were more', () => {
  const most = fragment('TC'.repeat(128));
  expect([most.messages.length, most.overflow]).toEqual([256, false]);
  const more = fragment(`${'TC'.repeat(128)}T`);
  expect([more.messages.length, more.overflow]).toEqual([256, true]);
  const rows = fragment(`${'TC'.repeat(127)}TDDD`);
  expect([rows.messages.length, rows.overflow]).toEqual([256, false]);
});
