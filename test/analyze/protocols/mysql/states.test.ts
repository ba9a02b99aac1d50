import { join } from 'node:path';
import { deflateSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { mysql } from '../../../../src/analyze/protocols/mysql/index.ts';
import type { AnalysisEvent } from '../../../../src/analyze/record/event.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { conversations } from '../conversations.ts';
import { sameHoweverCut } from '../hardiness.ts';
import { type PlayOptions, play, type Step } from '../play.ts';
import { command, error, greeting, login, ok, packet, prepared, result } from './packets.ts';

const CAPTURE = join(import.meta.dirname, '../captures/mysql-states.pcap');

const sqlOf = (event: AnalysisEvent) => event.fields.sql as Readonly<Record<string, unknown>>;
const brief = (events: readonly AnalysisEvent[]) =>
  events.map((event) =>
    event.kind === 'exchange'
      ? `${event.label.slice(0, 60)} = ${event.status} ${event.incomplete ?? ''}`.trim()
      : `${event.kind === 'event' ? `${event.code} ` : ''}${event.label}`,
  );
const ofFile = async (name: string) =>
  (await analyseFile(join(import.meta.dirname, name))).events.map(({ event }) => event);

test('a cursor: its execution ends behind the columns, its rows come with each fetch', async () => {
  const events = await ofFile('captures/mysql-cursor.pcap');
  expect(brief(events).slice(3)).toEqual([
    'select a from big = OK',
    'STMT_FETCH = OK',
    'STMT_FETCH = OK',
    "select nope = ERROR 1054 Unknown column 'nope' in 'SELECT'",
    'select 1 = OK',
    'select 2 = OK',
  ]);
});

test('MariaDB executes what was prepared last, before it has been answered', async () => {
  const events = await ofFile('captures/mysql-mariadb-execute-last.pcap');
  expect(brief(events).slice(2)).toEqual([
    'PREPARE select a from big where a<? = OK',
    'select a from big where a<? = OK',
    "select nope = ERROR 1054 Unknown column 'nope' in 'SELECT'",
    'select 1 = OK',
  ]);
  expect(events[3]).toMatchObject({ responseBytes: 89, fields: { sql: { command: 'STMT_EXECUTE', rows: 2 } } });
});

test('a capture that begins with statements longer than a segment', async () => {
  const events = await ofFile('captures/mysql-midstream-statement-over-one-segment.pcap');
  expect(events.length).toBeGreaterThanOrEqual(5);
  for (const [index, event] of events.slice(0, 5).entries()) {
    expect(event.label).toContain(`VALUES (${index}`);
    expect(event).toMatchObject({ protocol: 'mysql', status: 'OK', failed: false });
  }
});

test('a server that refuses before its greeting says why', async () => {
  const events = await ofFile('captures/mysql-refused-before-greeting.pcap');
  expect(events).toMatchObject([
    { label: 'connect', status: 'ERROR 1040 Too many connections', failed: true, fields: { sql: { code: 1040 } } },
    { label: 'connect', failed: true, fields: { sql: { code: 1129 } } },
  ]);
});

test('programs: changes of user, files, several results, compression, the replication stream', async () => {
  const events = await ofFile('../captures/mysql-states.pcap');
  const said = brief(events).filter((line) => !/^connect|TCP_RESET/.test(line));
  expect(said.map((line) => line.replace(/\/tmp\/\S+/, '').replace(/x{20,}/, 'x'))).toEqual([
    'INSERT INTO stock VALUES (1, ***), (2, ***) = OK',
    'PREPARE SELECT name FROM stock WHERE id = ? = OK',
    'SELECT name FROM stock WHERE id = ? = OK',
    'CHANGE_USER = OK',
    'SELECT CURRENT_USER() = OK',
    'PREPARE SELECT name FROM stock WHERE id = ? = OK',
    'SELECT name FROM stock WHERE id = ? = OK',
    "CHANGE_USER = ERROR 1045 Access denied for user 'other'@'127.0.0.1' (using password: YES)",
    "LOAD DATA LOCAL INFILE 'x' INTO TABLE stock = OK",
    "SELECT 1; SELECT nope; SELECT 2 = ERROR 1054 Unknown column 'nope' in 'SELECT'",
    'SELECT 2 = OK',
    'SELECT * FROM stock = OK',
    "SELECT 'x = OK",
    'PREPARE SELECT seq FROM seq_1_to_5000 WHERE seq > ? = OK',
    'SELECT seq FROM seq_1_to_5000 WHERE seq > ? = OK',
    "SELECT nope = ERROR 1054 Unknown column 'nope' in 'SELECT'",
    'PING = OK',
    'SELECT id, name FROM stock = OK',
    "SELECT nope = ERROR 1054 Unknown column 'nope' in 'SELECT'",
    expect.stringMatching(/^LOAD DATA LOCAL INFILE '.* = OK$/),
    'SELECT 4 = OK',
    'DELETE FROM stock WHERE id > 100 = OK',
    expect.stringMatching(/^LOAD DATA LOCAL INFILE '.* = OK$/),
    'SELECT 5 = OK',
    'SELECT VERSION() = OK',
    "SET @master_binlog_checksum='NONE' = OK",
    'SET @mariadb_slave_capability=4 = OK',
    'BINLOG_DUMP = OK',
  ]);
  const rows = events.filter(({ label }) => label.startsWith('SELECT seq')).map((event) => sqlOf(event).rows);
  expect(rows).toEqual([5000]);
  const users = events.filter(({ label }) => label === 'SELECT CURRENT_USER()').map((event) => sqlOf(event).user);
  expect(users).toEqual(['other']);
});

test('each of those conversations however cut', () => {
  for (const steps of conversations(CAPTURE)) sameHoweverCut(mysql, steps, 3);
});

describe('ends of results', () => {
  const DEPRECATE_EOF = 0x100_0000;
  test.each([
    ['with EOFs', 0],
    ['without', DEPRECATE_EOF],
  ])('%s', (_, capability) => {
    const isShort = capability !== 0;
    const steps: Step[] = [
      [1, greeting()],
      [0, login(capability)],
      [1, ok(2)],
      [0, command(3, 'select 1')],
      [1, result(['a', 'b'], 3, isShort)],
      [0, command(3, 'select 2')],
      [1, result(['a'], 0, isShort)],
      [0, command(22, 'select ?')],
      [1, prepared(7, 1, 1, isShort)],
      [0, command(23, Buffer.from([7, 0, 0, 0, 0, 1, 0, 0, 0]))],
      [1, result(['a'], 1, isShort)],
      [0, command(14)],
      [1, ok(1)],
    ];
    const events = sameHoweverCut(mysql, steps);
    expect(events.map((event) => `${event.label} ${sqlOf(event).rows ?? ''}`.trim())).toEqual([
      'connect shop@',
      'select 1 3',
      'select 2 0',
      'PREPARE select ? 0',
      'select ? 1',
      'PING 0',
    ]);
    // The EOFs are part of the answers.
    const answers = steps.filter(([side]) => side === 1).slice(1);
    expect(events.map((event) => event.kind === 'exchange' && event.responseBytes)).toEqual(
      answers.map(([, what]) => (what as Buffer).length),
    );
    // Where the login was not seen, what is agreed on is learned.
    const late = play(mysql, steps.slice(3));
    expect(late.map(({ label }) => label)).toEqual(events.slice(1).map(({ label }) => label));
  });
});

test('a capture that begins with PINGs', () => {
  const ping = command(14);
  for (const length of [1, 4]) expect(mysql.probe(ping, 0, length)).toBe('more');
  expect(mysql.probe(ping, 0, ping.length)).toBe('client');
  // More than the command is none.
  expect(mysql.probe(Buffer.concat([ping, ping]), 0, 2 * ping.length)).toBe('no');
  const steps: Step[] = [
    [0, ping],
    [1, ok(1)],
    [0, ping],
    [1, ok(1)],
  ];
  // Commands from before the capture may be under way: the pairs are not proven.
  expect(brief(play(mysql, steps, { midstream: true }))).toEqual(['PING = OK unknown', 'PING = OK unknown']);
});

test('MariaDB leaves out columns that it sent before', () => {
  const withFlag = (flag: number) => packet(1, Buffer.from([1, flag]));
  const end = packet(3, Buffer.from([0xfe, 0, 0, 2, 0, 0, 0]));
  const steps: Step[] = [
    [1, greeting()],
    [0, login(0x100_0000)],
    [1, ok(2)],
    [0, command(3, 'select 1')],
    [1, Buffer.concat([withFlag(0), packet(2, Buffer.from('\x01a')), end])],
    [0, command(14)],
    [1, ok(1)],
  ];
  const events = sameHoweverCut(mysql, steps);
  expect(events.map((event) => `${event.label} ${sqlOf(event).rows ?? ''}`.trim())).toEqual([
    'connect shop@',
    'select 1 1',
    'PING 0',
  ]);
});

test.each([
  ['zlib', 0x20, deflateSync],
  ['zstd', 0x400_0000, zstdCompressSync],
] as const)(
  '%s: packets are found in frames, holes and frames that cannot be expanded cost what they hold',
  (_, capability, compress) => {
    const frame = (sequence: number, contents: Buffer) => {
      const body = contents.length < 50 ? contents : compress(contents);
      const head = Buffer.alloc(7);
      head.writeUIntLE(body.length, 0, 3);
      head[3] = sequence;
      head.writeUIntLE(body === contents ? 0 : contents.length, 4, 3);
      return Buffer.concat([head, body]);
    };
    const long = result(['a'], 400, false);
    const opening: Step[] = [
      [1, greeting()],
      [0, login(capability)],
      [1, ok(2)],
    ];
    const steps: Step[] = [
      ...opening,
      [0, frame(0, command(3, `select '${'x'.repeat(100)}'`))],
      [1, Buffer.concat([frame(1, long.subarray(0, 900)), frame(2, long.subarray(900))])],
      [0, frame(0, command(14))],
      [1, frame(1, ok(1))],
    ];
    expect(brief(sameHoweverCut(mysql, steps))).toEqual([
      'connect shop@ = OK',
      expect.stringMatching(/^select .*x.* = OK|^select/),
      'PING = OK',
    ]);
    const damaged = frame(1, long.subarray(0, 900));
    damaged.fill(0xff, 12);
    const lost = play(mysql, [
      ...steps.slice(0, 4),
      [1, damaged],
      [1, frame(2, long.subarray(900))],
      ...steps.slice(5),
    ]);
    expect(
      lost.some(({ label, ...rest }) => label.startsWith('select') && 'status' in rest && rest.status === 'OK'),
    ).toBe(false);
    expect(brief(lost).at(-1)).toMatch(/^PING = /);
  },
);

test('a file that the client sends, then another result', () => {
  const steps: Step[] = [
    [0, command(3, "load data local infile 'f' into table t")],
    [1, packet(1, Buffer.from('\xfbf', 'latin1'))],
    [0, Buffer.concat([packet(2, Buffer.from('1\n')), packet(3, Buffer.alloc(0))])],
    [1, ok(4, 1)],
    [0, command(3, 'select 1')],
    [1, result(['a'], 1, false)],
  ];
  const events = sameHoweverCut(mysql, steps);
  expect(events.map((event) => `${event.label} ${sqlOf(event).rows}`)).toEqual([
    "load data local infile 'f' into table t 1",
    'select 1 1',
  ]);
});

test('the server ends an idle connection', () => {
  const steps: Step[] = [
    [0, command(14)],
    [1, ok(1)],
    [1, error(0, 4031, 'The client was disconnected')],
  ];
  expect(brief(sameHoweverCut(mysql, steps))).toEqual([
    'PING = OK',
    'SQL_ERROR ERROR 4031 The client was disconnected',
  ]);
});

test('how an exchange ends that has no whole answer', () => {
  const whole = result(['a'], 2, false);
  const begun: Step[] = [
    [0, command(3, 'select 1')],
    [1, whole.subarray(0, whole.length - 9)],
  ];
  const ended = (options: PlayOptions, steps = begun) => play(mysql, steps, options)[0];
  expect(ended({ end: 'closed', endBy: 1 })).toMatchObject({ incomplete: 'closed early', failed: true, endedBy: 1 });
  expect(ended({ end: 'reset', endBy: 0 })).toMatchObject({ incomplete: 'reset', failed: true, endedBy: 0 });
  expect(ended({ end: 'capture ended' })).toMatchObject({ incomplete: 'capture ended', failed: false });
  expect(ended({ end: 'evicted' })).toMatchObject({ incomplete: 'unknown', failed: false });
  const asked = begun.slice(0, 1);
  expect(ended({ end: 'closed' }, asked)).toMatchObject({ incomplete: 'no response', failed: true });
  expect(ended({ end: 'capture ended' }, asked)).toMatchObject({ incomplete: 'capture ended', failed: false });
});
