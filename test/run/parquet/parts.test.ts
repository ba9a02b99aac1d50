import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { analysisOutput } from '../../../src/run/analysis/index.ts';
import type { Shard } from '../../../src/run/input/shard.ts';
import { readLines } from '../../../src/run/reading/lines.ts';
import { duckdb } from '../../support/duckdb.ts';

const CAPTURES = join(import.meta.dirname, '../analysis/captures');
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-parts-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function tablesOf(path: string, tables: string, shard?: Shard): Promise<void> {
  const output = analysisOutput('parquet');
  if (output === undefined) throw new Error('there is no output parquet');
  const reading = {
    paths: [path],
    shard,
    follow: false,
    filter: undefined,
    from: undefined,
    to: undefined,
    where: undefined,
    showSecrets: false,
  };
  const form = { json: false, utc: true, verbose: false, live: false, colour: false, align: false, width: undefined };
  const descriptor = openSync('/dev/null', 'w');
  const chosen = { output, argument: join(directory, tables), descriptor };
  await readLines(reading, { ...form, ...chosen }, new AbortController().signal, {});
  closeSync(descriptor);
}

const files = (tables: string) =>
  readdirSync(join(directory, tables), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.parquet'))
    .sort();

it('of many processes each writes its part; one that is done again replaces its files', async () => {
  const captures = join(directory, 'captures');
  mkdirSync(captures);
  for (const name of ['syn-unanswered', 'wrong-service']) {
    cpSync(join(CAPTURES, `${name}.pcapng`), join(captures, `${name}-00001.pcapng`));
  }
  await tablesOf(captures, 'all');
  // The third one has nothing to do.
  for (const index of [0, 1, 2, 1]) await tablesOf(captures, 'parts', { index, of: 3 });
  const rows = (tables: string) =>
    duckdb(
      `select kind, protocol, label, status, time::varchar as at from read_parquet('${join(directory, tables)}/exchanges/**/*.parquet', union_by_name = true) order by all`,
    );
  expect(await rows('parts')).toEqual(await rows('all'));
  expect(files('parts').every((name) => /\/part-[01]-of-3-00001\.parquet$/.test(name))).toBe(true);
  expect(files('all').some((name) => name.includes('part-'))).toBe(false);
});
