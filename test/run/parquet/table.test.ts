import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { FieldTable } from '../../../src/analyze/protocols/protocol.ts';
import { Table } from '../../../src/run/parquet/table.ts';
import { duckdb } from '../../support/duckdb.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-table-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const field = (type: 'string' | 'int' | 'bool' | 'list' | 'timestamp') => ({ type, about: '' });
const ALWAYS: FieldTable = { time: field('timestamp'), 'src.pod': field('string'), count: field('int') };
const FIELDS: FieldTable = { ...ALWAYS, 'http.path': field('string'), 'dns.name': field('string') };

function table(): { readonly place: string; readonly made: Table } {
  const place = join(mkdtempSync(join(directory, 't-')), 'rows');
  return { place, made: new Table(place, FIELDS, ALWAYS) };
}

const rows = (place: string, columns: string) =>
  duckdb(`select ${columns} from read_parquet('${place}/**/*.parquet', union_by_name = true) order by all`);

const partitions = (place: string) =>
  readdirSync(place, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.parquet'))
    .map(dirname)
    .sort();

test('rows are in the directory of their hour, also those that come late', async () => {
  const { place, made } = table();
  const hours = ['09', '10', '11', '12', '13', '09'];
  for (const [count, hour] of hours.entries())
    made.add({ time: `2026-11-29T${hour}:59:59.999999999Z`, count } as never);
  made.end();
  const at = (hour: string) => `date=2026-11-29/hour=${hour}`;
  expect(partitions(place)).toEqual(['09', '10', '11', '12', '13'].map(at));
  expect([made.rows, made.files]).toEqual([6, 5]);
  expect(await rows(place, 'count, hour')).toEqual(hours.map((hour, count) => ({ count: String(count), hour })));
});

test('rows of many hours in turn are one file for each hour', async () => {
  const { place, made } = table();
  for (let count = 0; count < 50_000; count += 1) {
    const hour = String(count % 24).padStart(2, '0');
    made.add({ time: `2026-11-29T${hour}:00:00.000000000Z`, count } as never);
  }
  made.end();
  expect([made.rows, made.files]).toEqual([50_000, 24]);
  const [sum] = await duckdb(`select count(*) as rows, sum(count) as total from read_parquet('${place}/**/*.parquet')`);
  expect(sum).toEqual({ rows: '50000', total: String((50_000 * 49_999) / 2) });
});

test('columns that come later are null before, and begin a new file after the first row group', async () => {
  const { place, made } = table();
  const time = '2026-11-29T09:00:00.000000001Z';
  made.add({ time, src: { pod: 'a' } } as never);
  made.add({ time, src: undefined, http: { path: '/b' } } as never);
  for (let count = 2; count < 20_001; count += 1) made.add({ time, count } as never);
  made.add({ time, dns: { name: 'c' } } as never);
  made.end();
  expect([made.rows, made.files]).toEqual([20_002, 2]);
  expect(await rows(place, 'src_pod, http_path, dns_name')).toHaveLength(20_002);
  const known = await duckdb(
    `select src_pod, http_path, dns_name from read_parquet('${place}/**/*.parquet', union_by_name = true) where coalesce(src_pod, http_path, dns_name) is not null order by all`,
  );
  expect(known).toEqual([
    { src_pod: 'a', http_path: null, dns_name: null },
    { src_pod: null, http_path: '/b', dns_name: null },
    { src_pod: null, http_path: null, dns_name: 'c' },
  ]);
});

test('times that are invented make a bounded number of directories', () => {
  const place = join(directory, 'invented');
  const made = new Table(place, FIELDS, ALWAYS, { hoursMaximum: 10 });
  for (let hour = 0; hour < 13; hour += 1) {
    const time = new Date(hour * 3_600_000).toISOString().replace('Z', '000000Z');
    made.add({ time, count: hour } as never);
  }
  made.end();
  const names = new Set(partitions(place));
  expect(names.size).toBe(11);
  expect(names).toContain('date=__HIVE_DEFAULT_PARTITION__/hour=__HIVE_DEFAULT_PARTITION__');
});

test('values of another type than their column are left out', async () => {
  const { place, made } = table();
  made.add({ time: 'never', count: 'many', src: 'x' } as never);
  made.add({ time: '2026-11-29T09:00:00.5Z', count: 2.6, src: { pod: { deep: 1 } } } as never);
  made.end();
  expect(await duckdb(`select count, src_pod from read_parquet('${place}/**/*.parquet')`)).toEqual(
    expect.arrayContaining([
      { count: null, src_pod: null },
      { count: '3', src_pod: '{"deep":1}' },
    ]),
  );
});

test('a directory that cannot be made is named in the error', () => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  const made = new Table(join(file, 'rows'), FIELDS, ALWAYS);
  made.add({ time: '2026-11-29T09:00:00Z' });
  expect(() => made.end()).toThrow(expect.objectContaining({ code: 'CANNOT_WRITE' }));
  const nowhere = new Table('/proc/ksnoop/rows', FIELDS, ALWAYS);
  nowhere.add({ time: '2026-11-29T09:00:00Z' });
  expect(() => nowhere.end()).toThrow(expect.objectContaining({ code: 'CANNOT_WRITE' }));
});

test('what 64 bits cannot hold is null', async () => {
  const { place, made } = table();
  // Times of a pcapng reach up to 2554, those of Parquet in nanoseconds up to 2262.
  made.add({ time: '2500-01-01T00:00:00.000000000Z', count: 1e300 } as never);
  made.add({ time: '2500-01-01T00:00:00.000000000Z', count: -(2 ** 63) } as never);
  made.end();
  expect(await rows(place, 'time, count')).toEqual([
    { time: null, count: '-9223372036854775808' },
    { time: null, count: null },
  ]);
});
