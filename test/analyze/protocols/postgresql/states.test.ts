import { join } from 'node:path';
import { expect, test } from 'vitest';
import { postgresql } from '../../../../src/analyze/protocols/postgresql/index.ts';
import type { AnalysisEvent } from '../../../../src/analyze/record/event.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { sameHoweverCut } from '../hardiness.ts';
import { type PlayOptions, play, type Step } from '../play.ts';

const brief = (events: readonly AnalysisEvent[]) =>
  events.map((event) =>
    event.kind === 'exchange'
      ? `${event.label} = ${event.status} ${event.incomplete ?? ''}`.trim()
      : `${event.kind === 'event' ? `${event.code} ` : ''}${event.label}`,
  );
const ofFile = async (name: string) =>
  (await analyseFile(join(import.meta.dirname, name))).events.map(({ event }) => event);

/** A message of either side. */
function message(type: string, body: Buffer | string = ''): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, Buffer.from(body)]);
}
const parse = (sql: string, name = '') => message('P', `${name}\0${sql}\0\0\0`);
const bind = (name = '') => message('B', `\0${name}\0\0\0\0\0\0\0`);
const execute = message('E', '\0\0\0\0\0');
const sync = message('S');
const query = (sql: string) => message('Q', `${sql}\0`);
const step = (sql: string) => Buffer.concat([parse(sql), bind(), execute]);
const parsed = message('1');
const bound = message('2');
const row = message('D', '\0\x01\0\0\0\x011');
const done = (tag: string) => message('C', `${tag}\0`);
const ready = message('Z', 'I');
const error = (state: string, severity = 'ERROR') => message('E', `S${severity}\0V${severity}\0C${state}\0Mnot so\0\0`);
const answer = (...messages: Buffer[]) => Buffer.concat(messages);
const ran = answer(parsed, bound, row, done('SELECT 1'));

test('COPY in the extended protocol: the Sync before its end is ignored', async () => {
  const events = await ofFile('captures/postgresql-copy-extended.pcap');
  expect(brief(events)).toEqual([
    'connect postgres@postgres = OK',
    'create temp table t(a int) = OK',
    'copy t from stdin = OK',
    'select 0 = OK',
    'select 1 = OK',
    'select 2 = OK',
    'select 1/0 = ERROR 22012 division by zero',
    'select 77 = OK',
  ]);
});

test('after an error all up to Sync is passed over, also what comes later', async () => {
  const events = await ofFile('captures/postgresql-pipeline-error.pcap');
  expect(brief(events)).toEqual([
    'connect postgres@postgres = OK',
    'select 1/0 = ERROR 22012 division by zero',
    'select 1/0 = ERROR 22012 division by zero',
    'select 0 = OK',
    'select 1 = OK',
    'select 2 = OK',
    'select 3 = OK',
    'selec bad = ERROR 42601 syntax error at or near "selec"',
    'select 99 = OK',
  ]);
  for (const event of events.slice(3)) {
    if (event.kind === 'exchange') expect((event.responseEnd ?? Number.NaN) - event.time).toBeLessThan(5e6);
  }
});

test('an error is an answer, and an answer without its request is a line', async () => {
  const [called] = await ofFile('captures/postgresql-error-called-no-response.pcap');
  expect(called).toMatchObject({ failed: true, status: 'ERROR 42601 syntax error at or near "asdsdfdsf"' });
  expect(called?.kind === 'exchange' && called.incomplete).not.toBe('no response');
  const orphan = await ofFile('captures/postgresql-orphan-answer-vanishes.pcap');
  expect(orphan).toMatchObject([
    {
      label: '(request not seen)',
      status: 'OK',
      incomplete: 'request not seen',
      fields: { sql: { command: 'DELETE' } },
    },
  ]);
});

test('several statements before a Sync, each with its own outcome, however cut', () => {
  const steps: Step[] = [
    [0, answer(step('select 1'), step('select 2'), sync)],
    [1, answer(ran, ran, ready)],
    [0, answer(step('select 3'), step('bad'), step('select 4'), sync)],
    [1, answer(ran, error('42601'), ready)],
    [0, answer(step('select 5'), sync, step('select 6'), sync)],
    [1, answer(ran, ready, ran, ready)],
    [0, query('')],
    [1, answer(message('I'), ready)],
    [0, answer(step('select 7'), sync)],
    // What fails at Sync is the end of the transaction.
    [1, answer(ran, error('23503'), ready)],
    [0, query('select 8')],
    [1, answer(row, done('SELECT 1'), ready)],
  ];
  expect(brief(sameHoweverCut(postgresql, steps))).toEqual([
    'select 1 = OK',
    'select 2 = OK',
    'select 3 = OK',
    'bad = ERROR 42601 not so',
    'select 5 = OK',
    'select 6 = OK',
    '(empty statement) = OK',
    'select 7 = OK',
    'Sync = ERROR 23503 not so',
    'select 8 = OK',
  ]);
});

test('an execution that ends at its limit of rows is answered, and the next one goes on with the portal', () => {
  const suspended = message('s');
  const steps: Step[] = [
    [0, answer(step('select 1'), execute, sync)],
    [1, answer(parsed, bound, row, suspended, row, done('SELECT 1'), ready)],
    [0, query('select 2')],
    [1, answer(row, done('SELECT 1'), ready)],
  ];
  const events = sameHoweverCut(postgresql, steps);
  expect(brief(events)).toEqual(['select 1 = OK', 'select 1 = OK', 'select 2 = OK']);
  const bytes = events.map((event) => event.kind === 'exchange' && event.responseBytes);
  expect(bytes).toEqual([row.length + 5, row.length + 14, row.length + 14 + 6]);
});

test('a query is passed over behind an error, and the Sync that follows ends both', () => {
  const steps: Step[] = [
    [0, answer(step('bad'), query('select 1'))],
    [1, error('42601')],
    [0, sync],
    [1, ready],
    [0, query('select 2')],
    [1, answer(row, done('SELECT 1'), ready)],
  ];
  expect(brief(sameHoweverCut(postgresql, steps))).toEqual(['bad = ERROR 42601 not so', 'select 2 = OK']);
});

test('COPY sent without waiting, and one that fails in the middle', () => {
  const data = message('d', '1\n');
  const copyIn = message('G', '\0\0\x01\0\0');
  const steps: Step[] = [
    [0, answer(step('copy a from stdin'), data, data, message('c'), sync)],
    [1, answer(parsed, bound, copyIn, done('COPY 2'), ready)],
    [0, answer(step('copy b from stdin'), sync)],
    [1, answer(parsed, bound, copyIn)],
    [0, data],
    [1, error('22P02')],
    [0, answer(data, message('f', 'given up\0'), sync)],
    [1, ready],
    [0, query('copy c from stdin')],
    [1, copyIn],
    [0, answer(sync, data, sync, message('c'))],
    [1, answer(done('COPY 1'), ready)],
    [0, query('select 1')],
    [1, answer(row, done('SELECT 1'), ready)],
  ];
  expect(brief(sameHoweverCut(postgresql, steps))).toEqual([
    'copy a from stdin = OK',
    'copy b from stdin = ERROR 22P02 not so',
    'copy c from stdin = OK',
    'select 1 = OK',
  ]);
});

test('replication is an exchange when it begins, and what it streams is none', () => {
  const steps: Step[] = [
    [0, query('START_REPLICATION 0/1')],
    [1, message('W', '\0\0\0')],
    [1, message('d', 'w'.repeat(500))],
    [0, message('d', 'r'.repeat(34))],
    [1, message('d', 'k'.repeat(18))],
    [0, message('c')],
    [1, answer(message('c'), done('START_STREAMING'), ready)],
    [0, query('select 1')],
    [1, answer(row, done('SELECT 1'), ready)],
  ];
  expect(brief(sameHoweverCut(postgresql, steps))).toEqual(['START_REPLICATION 0/1 = OK', 'select 1 = OK']);
  expect(brief(play(postgresql, steps.slice(0, 5)))).toEqual(['START_REPLICATION 0/1 = OK']);
});

test('how an exchange ends that has no whole answer', () => {
  const begun: Step[] = [
    [0, query('select 1')],
    [1, row],
  ];
  const ended = (options: PlayOptions, steps = begun) => play(postgresql, steps, options)[0];
  expect(ended({ end: 'closed', endBy: 1 })).toMatchObject({ incomplete: 'closed early', failed: true, endedBy: 1 });
  expect(ended({ end: 'reset', endBy: 0 })).toMatchObject({ incomplete: 'reset', failed: true, endedBy: 0 });
  expect(ended({ end: 'capture ended' })).toMatchObject({ incomplete: 'capture ended', failed: false });
  expect(ended({ end: 'evicted' })).toMatchObject({ incomplete: 'unknown', failed: false });
  const asked = begun.slice(0, 1);
  expect(ended({ end: 'closed' }, asked)).toMatchObject({ incomplete: 'no response', failed: true });
  expect(ended({ end: 'capture ended' }, asked)).toMatchObject({ incomplete: 'capture ended', failed: false });
  const failed: Step[] = [...asked, [1, error('42601')]];
  for (const end of ['closed', 'capture ended', 'reset'] as const) {
    expect(ended({ end }, failed)).toMatchObject({ status: 'ERROR 42601 not so', failed: true, incomplete: undefined });
  }
});

test('the server ends an idle connection, and refuses one that asks for encryption', () => {
  const idle: Step[] = [
    [0, query('select 1')],
    [1, answer(row, done('SELECT 1'), ready)],
    [1, error('57P01', 'FATAL')],
  ];
  expect(brief(sameHoweverCut(postgresql, idle))).toEqual(['select 1 = OK', 'SQL_ERROR ERROR 57P01 not so']);
  const refused: Step[] = [
    [0, Uint8Array.from([0, 0, 0, 8, 4, 210, 22, 47])],
    [1, error('53300', 'FATAL')],
  ];
  expect(brief(sameHoweverCut(postgresql, refused))).toEqual(['connect @ = ERROR 53300 not so']);
});

test('programs: COPY, pipelines, replication, a time limit, a backend that is ended', async () => {
  const events = await ofFile('../captures/postgresql-states.pcap');
  const said = brief(events).filter((line) => !/^connect |SHOW|IDENTIFY|PROTOCOL_LOST|TCP_RESET/.test(line));
  expect(said).toEqual([
    'COPY  stock FROM STDIN = OK',
    'SELECT 1; = OK',
    'COPY  stock FROM STDIN = ERROR 23505 duplicate key value violates unique constraint "stock_pkey"',
    'SELECT 2; = OK',
    'COPY  stock TO STDOUT = OK',
    '; = OK',
    'SELECT 3; = OK',
    ...[10, 11, 12, 13, 14, 10, 11, 12, 13, 14].map((number) => `SELECT ${number}; = OK`),
    'SELECT 20; = OK',
    'SELECT 1/0; = ERROR 22012 division by zero',
    'START_REPLICATION 0/1000000 TIMELINE 1 = OK',
    'SET statement_timeout = 200 = OK',
    'SELECT pg_sleep(1) = ERROR 57014 canceling statement due to statement timeout',
    'SELECT 4 = OK',
    'SELECT 5; = OK',
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' = OK",
    'SQL_ERROR ERROR 57P01 terminating connection due to administrator command',
    'SELECT 6; =  reset',
  ]);
});

test('a capture that begins in the middle: statements longer than a segment, prepared ones executed', () => {
  const long = query(`insert into t values ('${'x'.repeat(3000)}')`);
  const longParse = answer(parse(`select '${'y'.repeat(3000)}'`, 'S_1'), bind('S_1'), execute, sync);
  const firsts: [Buffer, string][] = [
    [long.subarray(0, 1448), 'client'],
    [longParse.subarray(0, 1448), 'client'],
    [answer(bind('S_1'), execute, sync), 'client'],
    [answer(bound, row, done('SELECT 1'), ready), 'server'],
    [Buffer.from('Q\0\0\x0b\xb8GET / HTTP/1.1'), 'no'],
    [Buffer.from('P\0\0\x0b\xb8\0\x01\x02\x03select'), 'no'],
  ];
  for (const [bytes, like] of firsts) expect(postgresql.probe(bytes, 0, bytes.length)).toBe(like);
  const steps: Step[] = [
    [0, long.subarray(0, 1448)],
    [0, long.subarray(1448)],
    [1, answer(done('INSERT 0 1'), ready)],
    [0, answer(bind('S_1'), execute, sync)],
    [1, answer(bound, row, done('SELECT 1'), ready)],
  ];
  const events = sameHoweverCut(postgresql, steps);
  expect(events).toMatchObject([
    { route: 'INSERT t', status: 'OK' },
    { label: '(statement not seen)', status: 'OK', fields: { sql: { rows: 1 } } },
  ]);
});
