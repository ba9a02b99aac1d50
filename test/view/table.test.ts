import { expect, it } from 'vitest';
import { Colours } from '../../src/view/colour.ts';
import { tableLines } from '../../src/view/table.ts';

const columns = [
  { title: 'NAME', shrinks: true },
  { title: 'NOTE', shrinks: true },
  { title: 'N', right: true },
];
const plain = new Colours(false);

it('puts numbers right, and leaves out columns in which nothing stands', () => {
  expect(
    tableLines(
      columns,
      [
        ['a', '', '1'],
        ['bcdefg', '', '1,234'],
      ],
      undefined,
      plain,
    ),
  ).toEqual(['NAME        N', 'a           1', 'bcdefg  1,234']);
});

it('takes width from the widest of the columns that give way, and no more than they have', () => {
  const rows = [['n'.repeat(30), 'm'.repeat(40), '1']];
  expect(tableLines(columns, rows, 50, plain)[1]).toBe(`${'n'.repeat(21)}…  ${'m'.repeat(22)}…  1`);
  expect(tableLines(columns, rows, 50, plain)[1]).toHaveLength(50);
  expect(tableLines(columns, rows, 5, plain)[1]).toBe(`${'n'.repeat(11)}…  ${'m'.repeat(11)}…  1`);
  expect(tableLines(columns, rows, 200, plain)[1]).toContain('n'.repeat(30));
});

it('paints without moving what is next to it', () => {
  const paint = (text: string) => `<${text}>`;
  expect(tableLines(columns, [[{ text: 'x', paint }, 'y', { text: '7', paint }]], undefined, plain)[1]).toBe(
    '<x>     y     <7>',
  );
});
