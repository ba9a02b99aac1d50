import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { postgresql } from '../../../../src/analyze/protocols/postgresql/index.ts';
import type { AnalysisEvent } from '../../../../src/analyze/record/event.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { conversations } from '../conversations.ts';
import { likesNoNoise, sameHoweverCut } from '../hardiness.ts';
import { play, type Step } from '../play.ts';

/** Made by captures/make-postgresql.sh: psql and pgbench against PostgreSQL 15. */
const CAPTURE = join(import.meta.dirname, '../captures/postgresql.pcap');

const sqlOf = (event: AnalysisEvent) => event.fields.sql as Readonly<Record<string, unknown>>;
const brief = (events: readonly AnalysisEvent[]) =>
  events.map((event) =>
    event.kind === 'exchange' ? `${event.label} = ${event.status} ${event.incomplete ?? ''}`.trim() : event.label,
  );

test('what psql asked, what pgbench prepared and ran', async () => {
  const { events } = await analyseFile(CAPTURE);
  const said = events.map(({ event }) => event);
  expect(said.every(({ protocol, kind }) => protocol === 'postgresql' && kind === 'exchange')).toBe(true);
  expect(brief(said).slice(0, 6)).toEqual([
    'connect shop@postgres = OK',
    'SELECT 1 = OK',
    'SELECT * FROM nothing = ERROR 42P01 relation "nothing" does not exist',
    'SELECT count(*) FROM pgbench_accounts = OK',
    'connect shop@postgres = OK',
    'ALTER ROLE shop PASSWORD *** = OK',
  ]);
  expect(JSON.stringify(said)).not.toContain('hush');
  const updates = said.filter((event) => event.kind === 'exchange' && event.route === 'UPDATE pgbench_tellers');
  expect(updates.map((event) => sqlOf(event))).toEqual(
    Array.from({ length: 3 }, () => ({
      statement: 'UPDATE pgbench_tellers SET tbalance = tbalance + $1 WHERE tid = $2;',
      rows: 1,
      command: 'UPDATE',
      user: 'shop',
      database: 'postgres',
      error: undefined,
      sqlstate: undefined,
    })),
  );
  const failed = said.filter((event) => event.kind === 'exchange' && event.failed);
  expect(failed.map((event) => sqlOf(event).sqlstate)).toEqual(['42P01', '28P01']);
});

describe.skipIf(spawnSync('tshark', ['--version']).error !== undefined)('against tshark', () => {
  test('the same statements are asked', async () => {
    const fields = ['-T', 'fields', '-E', 'separator=/t', '-e', 'pgsql.type', '-e', 'pgsql.query'];
    const rows = execFileSync('tshark', ['-n', '-r', CAPTURE, '-Y', 'pgsql.query', ...fields], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .split('\n')
      .filter(Boolean)
      .map((row) => row.split('\t'));
    const simple = rows
      .filter(([type]) => type === 'Simple query')
      .map(([, query = '']) => query.replace("'hush'", '***'));
    const prepared = new Set(rows.filter(([type = '']) => type.startsWith('Parse')).map(([, query]) => query));
    const statements = (await analyseFile(CAPTURE)).events
      .map(({ event }) => sqlOf(event).statement)
      .filter((sql) => sql !== undefined);
    expect(statements.filter((sql) => !prepared.has(String(sql))).sort()).toEqual(simple.sort());
    expect(new Set(statements.filter((sql) => prepared.has(String(sql))))).toEqual(prepared);
  });
});

test('cut anywhere the same is said', () => {
  for (const steps of conversations(CAPTURE)) sameHoweverCut(postgresql, steps, 4);
});

test('begun in the middle: what is whole is said, and nothing else', () => {
  const [steps = []] = conversations(CAPTURE);
  const labels = new Set(brief(play(postgresql, steps)));
  const from = steps.findIndex(([, what]) => what instanceof Uint8Array && what[0] === 0x51);
  const late = brief(play(postgresql, steps.slice(from)));
  expect(late.length).toBeGreaterThan(1);
  for (const label of late) expect(labels).toContain(label);
});

test('a gap ends what waits, and the next query is read', () => {
  const [steps = []] = conversations(CAPTURE);
  const queries = steps.flatMap(([side, what], index) =>
    side === 0 && what instanceof Uint8Array && what[0] === 0x51 ? [index] : [],
  );
  const holed = steps.map((step, index): Step => (index === (queries[0] ?? 0) + 1 ? [1, { gap: 66 }] : step));
  const said = brief(play(postgresql, holed));
  expect(said).toContain('SELECT 1 =  response not captured');
  expect(said.at(-1)).toBe('SELECT count(*) FROM pgbench_accounts = OK');
});

test('encryption hands over to TLS, and its refusal goes on in clear', () => {
  const ask = Uint8Array.from([0, 0, 0, 8, 4, 210, 22, 47]);
  const [, ...rest] = conversations(CAPTURE)[0]?.map((step) => step) ?? [];
  const [first] = conversations(CAPTURE)[0] ?? [];
  const refused: Step[] = [[0, ask], [1, 'N'], first as Step, ...rest];
  expect(brief(play(postgresql, refused))[0]).toBe('connect shop@postgres = OK');
  expect(
    play(postgresql, [
      [0, ask],
      [1, 'S'],
      [0, Uint8Array.from([22, 3, 1, 0, 5, 1, 2, 3, 4, 5])],
    ]),
  ).toHaveLength(0);
});

test('noise is not taken for it, and nothing is thrown', () => {
  likesNoNoise(postgresql, 200_000);
});

test('behind encryption by GSSAPI nothing is read', () => {
  const ask = Uint8Array.from([0, 0, 0, 8, 4, 210, 22, 48]);
  const query = Buffer.from('Q\0\0\0\x0dselect 1\0');
  const answer = Buffer.from('C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I');
  const steps = (reply: string): Step[] => [
    [0, ask],
    [1, reply],
    [0, query],
    [1, answer],
  ];
  expect(play(postgresql, steps('G'))).toEqual([]);
});
