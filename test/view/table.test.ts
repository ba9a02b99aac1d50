import { expect, it } from 'vitest';
import { Colours } from '../../src/view/colour.ts';
import { type Column, tableLines } from '../../src/view/table.ts';

const columns: readonly Column[] = [
  { title: 'NAME', shrinks: 'end' },
  { title: 'NOTE', shrinks: 'end' },
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

it('shortens names in their middle, never so far that two rows look the same', () => {
  const names: readonly Column[] = [
    { title: 'POD', shrinks: 'middle' },
    { title: 'N', right: true },
  ];
  const pods = ['shop/api-5f6d8c9b7d-aaaaa', 'shop/api-5f6d8c9b7d-bbbbb', 'shop/web-7997b97dcc-4wwvv'];
  const lines = tableLines(
    names,
    pods.map((pod) => [pod, '1']),
    20,
    plain,
  );
  expect(lines.slice(1)).toEqual(['shop/api…7d-aaaaa  1', 'shop/api…7d-bbbbb  1', 'shop/web…cc-4wwvv  1']);
  // What differs is in the middle only: the column keeps the cells it takes to see that.
  const middle = ['a', 'b'].map((letter) => ['x'.repeat(20) + letter + 'y'.repeat(20), '1']);
  const seen = tableLines(names, middle, 20, plain).slice(1);
  expect(new Set(seen).size).toBe(2);
});

it('leaves out columns by their ranks before a name is shortened', () => {
  const ranked: readonly Column[] = [
    { title: 'POD', shrinks: 'middle' },
    { title: 'A', rank: 1 },
    { title: 'B', rank: 2 },
    { title: 'C' },
  ];
  const row = ['shop/web-7997b97dcc-4wwvv', '11111111', '22222222', '3'];
  expect(tableLines(ranked, [row], 60, plain)[0]).toBe('POD                        A         B         C');
  expect(tableLines(ranked, [row], 40, plain)[0]).toBe('POD                        A         C');
  expect(tableLines(ranked, [row], 30, plain)[1]).toBe('shop/web-7997b97dcc-4wwvv  3');
  expect(tableLines(ranked, [row], 20, plain)[1]).toBe('shop/web…cc-4wwvv  3');
});

it('measures cells, not characters: wide names keep the columns under one another', () => {
  const lines = tableLines(
    [{ title: 'NAME' }, { title: 'N' }],
    [
      ['日本語', '1'],
      ['e\u0301x', '2'],
      ['🎉', '3'],
    ],
    undefined,
    plain,
  );
  expect(lines).toEqual(['NAME    N', '日本語  1', 'e\u0301x      2', '🎉      3']);
});
