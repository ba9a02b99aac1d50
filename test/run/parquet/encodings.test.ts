import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { FieldTable } from '../../../src/analyze/protocols/protocol.ts';
import { int64Dictionary } from '../../../src/run/parquet/int64-dictionary.ts';
import { Table } from '../../../src/run/parquet/table.ts';
import { Room } from '../../../src/run/parquet/values.ts';
import { duckdb } from '../../support/duckdb.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-encodings-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Three row groups: the second and third ones are written with what the columns know of the one before. */
const ROWS = 45_000;

const LONG = 'ö'.repeat(70);
const TEXTS = ['', 'GET', 'é', '😀 smile', '\ud83d half', 'a\u0000b', LONG, 'x'.repeat(64), `${'x'.repeat(63)}ß`];
const EXTREMES = [0, -0, 1, -1, 2 ** 31, -(2 ** 31), 2 ** 32, -(2 ** 32) - 1, 2 ** 53, -(2 ** 53), 2 ** 62, -(2 ** 63)];
const IMPOSSIBLE = [2 ** 63, 1e300, Number.NaN, Number.POSITIVE_INFINITY, 'text', {}, true];

const at = <T>(list: readonly T[], row: number): T => list[row % list.length] as T;

/** Values of a column by row; undefined is null. */
const COLUMNS: Record<string, { readonly type: FieldTable[string]['type']; value(row: number): unknown }> = {
  constant: { type: 'int', value: () => 7 },
  port: { type: 'int', value: (row) => 1024 + ((row * 7919) % 1500) },
  size: { type: 'int', value: (row) => (row * 2654435761) % 4294967296 },
  extreme: { type: 'int', value: (row) => (row % 3 === 0 ? undefined : at(EXTREMES, row)) },
  impossible: { type: 'int', value: (row) => at([...IMPOSSIBLE, 5], row) },
  late: { type: 'duration', value: (row) => (row < 30_011 ? undefined : row * 1.5) },
  early: { type: 'duration', value: (row) => (row < 9 ? row : undefined) },
  flag: { type: 'bool', value: (row) => (row % 5 === 0 ? undefined : row % 3 === 0) },
  always: { type: 'bool', value: () => true },
  flags: { type: 'bool', value: (row) => at([1, 'true', false, null], row) },
  nothing: { type: 'string', value: () => undefined },
  method: { type: 'string', value: (row) => at(TEXTS, row) },
  path: { type: 'string', value: (row) => (row % 7 === 0 ? undefined : `/items/${row}/${at(TEXTS, row)}`) },
  mixed: { type: 'string', value: (row) => (row < 20_000 ? `id-${row}` : 'same') },
  object: { type: 'string', value: (row) => at([{ deep: [1] }, 3, 'text'], row) },
  answers: { type: 'list', value: (row) => at([[], [{ name: 'ä', data: null }], 'text'], row) },
};

/** As DuckDB gives it: integers as texts, halves of surrogate pairs replaced. */
function expected(type: string, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'int':
    case 'duration':
      if (typeof value !== 'number' || !Number.isFinite(value) || Math.abs(value) > 2 ** 63 || value === 2 ** 63)
        return null;
      return String(BigInt(Math.round(value)));
    case 'bool':
      return typeof value === 'boolean' ? value : null;
    case 'string':
      return typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value);
    default:
      return JSON.stringify(value);
  }
}

const NAMES = Object.keys(COLUMNS);
const FIELDS: FieldTable = {
  time: { type: 'timestamp', about: '' },
  ...Object.fromEntries(NAMES.map((name) => [name, { type: COLUMNS[name]?.type ?? 'int', about: '' }])),
};

const time = (row: number) =>
  `2026-11-29T09:${String(Math.floor(row / 1000)).padStart(2, '0')}:01.${String(row * 21_001).padStart(9, '0')}Z`;

test('every value is what an independent reader reads', async () => {
  const place = join(directory, 'rows');
  const table = new Table(place, FIELDS);
  for (let row = 0; row < ROWS; row += 1) {
    const members = NAMES.map((name) => [name, COLUMNS[name]?.value(row)] as const);
    table.add({ time: time(row), ...Object.fromEntries(members) });
  }
  table.end();
  const files = `${place}/**/*.parquet`;
  const rows = await duckdb(
    `select ${NAMES.join(', ')}, epoch_ns(time) as ns from read_parquet('${files}') order by time`,
  );
  expect(rows).toHaveLength(ROWS);
  const wrong: unknown[] = [];
  for (const [row, read] of rows.entries()) {
    for (const name of NAMES) {
      const column = COLUMNS[name];
      if (column === undefined || read[name] === expected(column.type, column.value(row))) continue;
      wrong.push({ row, name, read: read[name], written: column.value(row) });
    }
    const ns = BigInt(Date.parse(`${time(row).slice(0, 19)}Z`)) * 1_000_000n + BigInt(row * 21_001);
    // DuckDB has microseconds in times with a zone.
    if (BigInt(String(read.ns)) / 1000n !== ns / 1000n) wrong.push({ row, read: read.ns, ns });
  }
  expect(wrong.slice(0, 5)).toEqual([]);
  const groups = await duckdb(
    `select path_in_schema as name, stats_min_value as min, stats_max_value as max, stats_null_count as nulls from parquet_metadata('${files}')`,
  );
  const group = (name: string) =>
    groups.filter((of) => of.name === name).map(({ min, max, nulls }) => [min, max, nulls]);
  expect(group('extreme')[0]).toEqual(['-9223372036854775808', '4611686018427387904', '6667']);
  expect(group('early')).toEqual([
    ['0', '8', '19991'],
    [null, null, '20000'],
    [null, null, '5000'],
  ]);
  expect(group('always')[0]).toEqual(['true', 'true', '0']);
  expect(group('flag')[0]).toEqual(['false', 'true', '4000']);
});

test('what repeats takes little room', async () => {
  const sizes = await duckdb(
    `select path_in_schema as name, any_value(encodings) as encodings, sum(total_uncompressed_size)::int as bytes from parquet_metadata('${directory}/rows/**/*.parquet') group by all`,
  );
  const of = (name: string) => sizes.find((row) => row.name === name);
  for (const name of ['constant', 'nothing', 'always']) expect(of(name)?.bytes, name).toBeLessThan(10_000);
  expect(of('port')).toMatchObject({ encodings: expect.stringContaining('DICTIONARY') });
  expect(of('method')?.bytes).toBeLessThan(45_000);
  expect(of('size')).toMatchObject({ encodings: 'PLAIN' });
});

test('values that collide in the hash table are given up', () => {
  // Equal hashes: the high half cancels the low one.
  const count = 20_000;
  const view = new DataView(new ArrayBuffer(count * 8));
  for (let at = 0; at < count; at += 1) {
    const high = at % 2000;
    view.setInt32(at * 8, Math.imul(high, 0x85ebca6b), true);
    view.setInt32(at * 8 + 4, high, true);
  }
  expect(int64Dictionary(view, count)).toBeUndefined();
  for (let at = 0; at < count; at += 1) view.setInt32(at * 8, 1, true);
  expect(int64Dictionary(view, count)?.dictionary.entries).toBe(2000);
});

test('memory is kept for the next row group, unless it is unusually much', () => {
  const room = new Room();
  const first = room.bytes.length;
  room.fit(200_000);
  room.rewind(true);
  expect(room.bytes.length).toBeGreaterThanOrEqual(200_000);
  room.rewind(false);
  expect(room.bytes.length).toBe(first);
  room.fit(3 << 20);
  room.rewind(true);
  expect(room.bytes.length).toBe(first);
});
