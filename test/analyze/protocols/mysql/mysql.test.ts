import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mysql } from '../../../../src/analyze/protocols/mysql/index.ts';
import type { AnalysisEvent } from '../../../../src/analyze/record/event.ts';
import { Random } from '../../../support/random.ts';
import { conversations } from '../conversations.ts';
import { likesNoNoise, sameHoweverCut } from '../hardiness.ts';
import { play, type Step } from '../play.ts';

/** Made by captures/make-mysql.sh: mysql2 and mariadb against MariaDB. */
const CAPTURE = join(import.meta.dirname, '../captures/mysql.pcap');
const all = conversations(CAPTURE);
const [shop = [], denied = [], cli = []] = all;

const sqlOf = (event: AnalysisEvent) => event.fields.sql as Readonly<Record<string, unknown>>;
const brief = (events: readonly AnalysisEvent[]) =>
  events.map((event) =>
    event.kind === 'exchange'
      ? `${event.label.slice(0, 50)} = ${event.status} ${sqlOf(event).rows ?? ''} ${event.incomplete ?? ''}`.trim()
      : event.label,
  );

const SAID = [
  'connect shop@shop = OK',
  'CREATE TABLE stock (id INT PRIMARY KEY, name VARCH = OK 0',
  'INSERT INTO stock VALUES (1, ***), (2, ***), (3, * = OK 3',
  'SELECT * FROM stock = OK 3',
  'SELECT * FROM stock WHERE id > 100 = OK 0',
  "SELECT * FROM nothing = ERROR 1146 Table 'shop.nothing' doesn't exist 0",
  'SELECT 1; SELECT 2; UPDATE stock SET id = id + 10 = OK 5',
  'PREPARE SELECT name FROM stock WHERE id = ? = OK 0',
  'SELECT name FROM stock WHERE id = ? = OK 1',
  'SELECT name FROM stock WHERE id = ? = OK 1',
  'SELECT name FROM stock WHERE id = ? = OK 0',
  'PREPARE DELETE FROM stock WHERE id = ? = OK 0',
  'DELETE FROM stock WHERE id = ? = OK 1',
  'SET PASSWORD = PASSWORD(***) = OK 0',
  'PING = OK 0',
  `SELECT '${'x'.repeat(42)} = OK 1`,
];

test('statements, prepared ones by their numbers, rows, several results, errors; cut anywhere', () => {
  expect(brief(sameHoweverCut(mysql, shop, 4))).toEqual(SAID);
  expect(brief(sameHoweverCut(mysql, cli))).toEqual([
    'connect shop@shop = OK',
    'SELECT count(*) FROM stock = OK 1',
    'SHOW TABLES = OK 1',
  ]);
  const [refused] = sameHoweverCut(mysql, denied);
  expect(refused).toMatchObject({ failed: true, fields: { sql: { sqlstate: '28000', code: 1045, user: 'shop' } } });
  expect(JSON.stringify(all.map((steps) => play(mysql, steps)))).not.toContain('hush');
});

test.skipIf(spawnSync('tshark', ['--version']).error !== undefined)('tshark sees the same statements', () => {
  const fields = ['-Y', 'mysql.query', '-T', 'fields', '-e', 'mysql.command', '-e', 'mysql.query'];
  const rows = execFileSync('tshark', ['-n', '-r', CAPTURE, ...fields], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const theirs = rows
    .split('\n')
    .filter(Boolean)
    .map((row) =>
      row
        .replace('\t', ' ')
        .replace(/(?<=VALUES \(.*)'[^']*'/g, '***')
        .slice(0, 60)
        .replace("'hush'", '***'),
    );
  const ours = all
    .flatMap((steps) => play(mysql, steps))
    .map(sqlOf)
    .filter(({ command }) => command === 'QUERY' || command === 'STMT_PREPARE')
    .map(({ command, statement }) => `${command === 'QUERY' ? 3 : 22} ${statement}`.slice(0, 60));
  expect(ours.map((row) => row.replace('***', '').trim())).toEqual(theirs.map((row) => row.replace('***', '').trim()));
});

test('begun in the middle', () => {
  const late = shop.slice(
    shop.findIndex(([side, what]) => side === 0 && what instanceof Uint8Array && what.includes(0x49) && what[4] === 3),
  );
  const said = brief(play(mysql, late));
  expect(said).toEqual(SAID.slice(1));
});

test('a gap ends what waits, and the next statement is read', () => {
  const answer = shop.findIndex(([, what], index) => index > 6 && what instanceof Uint8Array && what.length > 120);
  const holed = shop.map(
    ([side, what], index): Step =>
      index === answer && what instanceof Uint8Array ? [side, { gap: what.length }] : [side, what],
  );
  const said = brief(play(mysql, holed));
  expect(said.filter((line) => line.endsWith('response not captured'))).toHaveLength(1);
  expect(said.slice(-8)).toEqual(
    SAID.slice(-8).map((line) => (line.startsWith('SELECT name') ? expect.anything() : line)),
  );
});

test('noise and changed bytes', () => {
  likesNoNoise(mysql, 200_000);
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = new Random(seed);
    const changed = shop.map(([side, what]): Step => {
      if (!(what instanceof Uint8Array) || random.below(3) > 0) return [side, what];
      const copy = Uint8Array.from(what);
      copy[random.below(Math.min(40, copy.length))] = random.below(256);
      return random.below(8) === 0 ? [side, { gap: what.length }] : [side, copy];
    });
    expect(play(mysql, changed).length).toBeLessThan(200);
  }
});

test('a file that MariaDB loads: how far it has come is no error', () => {
  const hex = (bytes: string) => Buffer.from(bytes, 'hex');
  const query = "load data local infile 'ld.txt' into table t";
  const steps: Step[] = [
    [0, Buffer.concat([Uint8Array.of(query.length + 1, 0, 0, 0, 3), Buffer.from(query)])],
    [1, hex('07000001fb6c642e747874')],
    [0, Buffer.from('\x04\0\0\x021\n2\n\0\0\0\x03', 'latin1')],
    // As MariaDB 10.11 said it to its own client.
    [1, hex('19000004ffffff0102020000000f456e642062756c6b20696e73657274')],
    [1, hex('0700000500020002000000')],
  ];
  expect(brief(sameHoweverCut(mysql, steps))).toEqual([`${query} = OK 2`]);
});
