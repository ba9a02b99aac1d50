import { expect, test } from 'vitest';
import { span } from '../../../src/view/top/line.ts';
import { TableView } from '../../../src/view/top/table-view.ts';

interface Row {
  readonly name: string;
  readonly count: number;
}

function view(rows: () => readonly Row[]) {
  return new TableView<Row>({
    columns: [
      { title: 'NAME', width: 6, grows: true, rank: 0, cell: ({ name }) => span(name) },
      { title: 'COUNT', width: 6, right: true, rank: 1, cell: ({ count }) => span(String(count)) },
    ],
    orders: [
      { name: 'count', compare: (a, b) => b.count - a.count },
      { name: 'name', compare: (a, b) => a.name.localeCompare(b.name) },
    ],
    rows,
    keyOf: ({ name }) => name,
    noun: 'rows',
    empty: 'Nothing.',
  });
}

const key = (name: string) => ({ name, text: undefined });
const texts = (lines: ReturnType<TableView<Row>['lines']>) =>
  lines.map(({ spans }) => spans.map(({ text }) => text).join(''));
const selected = (lines: ReturnType<TableView<Row>['lines']>) => texts(lines.filter((line) => line.selected === true));

test('the cursor stays on its row when the order of rows changes', () => {
  let rows: Row[] = [
    { name: 'a', count: 3 },
    { name: 'b', count: 2 },
    { name: 'c', count: 1 },
  ];
  const table = view(() => rows);
  table.lines(20, 5);
  table.key(key('j'));
  expect(selected(table.lines(20, 5))[0]).toContain('b');
  rows = rows.map((row) => (row.name === 'c' ? { name: 'c', count: 9 } : row));
  expect(texts(table.lines(20, 5))[1]).toContain('c');
  expect(selected(table.lines(20, 5))[0]).toContain('b');
});

test('of a hundred thousand rows only those that are seen are made', () => {
  let cells = 0;
  const rows = Array.from({ length: 100_000 }, (_, count) => ({
    get name() {
      cells += 1;
      return `row ${count}`;
    },
    count,
  }));
  const table = view(() => rows);
  table.lines(20, 11);
  cells = 0;
  table.key(key('G'));
  const lines = table.lines(20, 11);
  expect(lines).toHaveLength(11);
  expect(selected(lines)[0]).toContain('row 0');
  // The search for the cursor's row looks at keys once; cells are ten rows'.
  expect(cells).toBeLessThan(100_020);
});

test('wide characters keep columns under one another, and no line is wider than the screen', () => {
  const table = view(() => [
    { name: '日本語サービス', count: 1 },
    { name: 'web', count: 2 },
  ]);
  expect(texts(table.lines(16, 5))).toEqual(['NAME       COUNT', 'web            2', '日本語サ…      1']);
});

test('a narrow screen loses the columns that matter least', () => {
  const table = view(() => [{ name: 'web', count: 2 }]);
  expect(texts(table.lines(10, 5))[0]?.trim()).toBe('NAME');
});
