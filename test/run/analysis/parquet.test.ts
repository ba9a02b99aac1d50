import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { AnalysisOutputKind } from '../../../src/analyze/engine/output.ts';
import { recordFields } from '../../../src/analyze/protocols/all-fields.ts';
import { flows } from '../../../src/run/analysis/flows.ts';
import { json } from '../../../src/run/analysis/json.ts';
import { FINDING_COLUMNS, parquet } from '../../../src/run/analysis/parquet.ts';
import { analysed } from '../../support/analysis-session.ts';
import { CAPTURES } from '../../support/captures.ts';
import { duckdb } from '../../support/duckdb.ts';

const OWN = join(import.meta.dirname, 'captures');
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-parquet-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function linesOf(kind: AnalysisOutputKind, file: string, argument?: string): string[] {
  const { lines } = analysed(kind, readFileSync(file), { argument, json: true });
  return lines;
}

/** Rows of a table as an independent reader has them. */
function rowsOf(table: string): Promise<Record<string, unknown>[]> {
  const files = join(table, '**', '*.parquet');
  return duckdb(`select *, epoch_us(time) as epoch from read_parquet('${files}', union_by_name = true) order by time`);
}

const FIELDS = recordFields();

/** A record of the JSON as a row that DuckDB would give, without what has no value. */
function expectedRow(record: Record<string, unknown>): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const [path, { type }] of Object.entries(FIELDS)) {
    const value = path
      .split('.')
      .reduce<unknown>(
        (at, name) => (typeof at === 'object' && at !== null ? Reflect.get(at, name) : undefined),
        record,
      );
    if (value === undefined || value === null) continue;
    const name = path.replaceAll('.', '_');
    if (path === 'time') row.epoch = microseconds(String(value));
    else if (type === 'int' || type === 'duration') row[name] = String(Math.round(Number(value)));
    else if (type === 'list' || type === 'map') row[name] = JSON.stringify(value);
    else row[name] = value;
  }
  return row;
}

/** DuckDB has no nanoseconds in times with a zone. */
function microseconds(time: string): string {
  return String(BigInt(Date.parse(`${time.slice(0, 19)}Z`)) * 1000n + BigInt(time.slice(20, 26)));
}

function withoutNulls(row: Record<string, unknown>): Record<string, unknown> {
  const ignored = ['time', 'date', 'hour'];
  return Object.fromEntries(Object.entries(row).filter(([name, value]) => value !== null && !ignored.includes(name)));
}

function sorted(rows: readonly Record<string, unknown>[]): string[] {
  return rows.map((row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))).sort();
}

test.each([
  join(OWN, 'wrong-service.pcapng'),
  join(OWN, 'syn-unanswered.pcapng'),
  join(CAPTURES, 'zeek/http/206_example_b.pcap'),
  join(CAPTURES, 'zeek/mysql/auth.pcap'),
])('the tables of %s are what the JSON has', async (file) => {
  const place = mkdtempSync(join(directory, 'tables-'));
  const said = linesOf(parquet, file, place);
  const records = linesOf(json, file).map((line) => JSON.parse(line) as Record<string, unknown>);
  const events = records.filter(({ kind }) => kind !== 'packet');
  const packets = records.filter(({ kind }) => kind === 'packet');
  expect(said[0]).toBe(`exchanges: ${events.length} row${events.length === 1 ? '' : 's'} in 1 file`);
  if (events.length > 0) {
    const rows = (await rowsOf(join(place, 'exchanges'))).map(withoutNulls);
    expect(sorted(rows)).toEqual(sorted(events.map(expectedRow)));
  }
  if (packets.length > 0) {
    const rows = (await rowsOf(join(place, 'packets'))).map(withoutNulls);
    expect(sorted(rows)).toEqual(sorted(packets.map(expectedRow)));
  }
  const ended = linesOf(flows, file).map((line) => JSON.parse(line) as Record<string, unknown>);
  const flowRows = (await rowsOf(join(place, 'flows'))).map(withoutNulls);
  expect(sorted(flowRows)).toEqual(sorted(ended.map(expectedRow)));
  for (const name of readdirSync(place, { recursive: true, encoding: 'utf8' })) {
    expect(name).not.toMatch(/\.part$/);
    if (name.endsWith('.parquet')) expect(statSync(join(place, name)).mode & 0o777).toBe(0o600);
  }
});

test('the queries in the documentation run', async () => {
  const place = mkdtempSync(join(directory, 'queries-'));
  linesOf(parquet, join(OWN, 'wrong-service.pcapng'), place);
  const page = readFileSync(join(import.meta.dirname, '../../../docs/analytics.md'), 'utf8');
  const queries = [...page.matchAll(/```sql\n(.*?)```/gs)].map(([, sql = '']) =>
    sql.replaceAll("'tables/", `'${place}/`),
  );
  expect(queries.length).toBeGreaterThanOrEqual(10);
  for (const sql of queries) expect(await duckdb(sql), sql).toBeInstanceOf(Array);
  const [worst] = await duckdb(queries[0] ?? '');
  expect(worst).toMatchObject({ service: 'api', failed: '16', requests: '33' });
});

test('the documentation lists the columns that every file has', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/analytics.md'), 'utf8');
  for (const name of Object.keys(FINDING_COLUMNS)) expect(page).toContain(`\`${name}\``);
});
