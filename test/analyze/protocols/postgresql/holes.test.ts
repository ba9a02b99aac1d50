import { join } from 'node:path';
import { expect, test } from 'vitest';
import { postgresql } from '../../../../src/analyze/protocols/postgresql/index.ts';
import type { AnalysisEvent } from '../../../../src/analyze/record/event.ts';
import { conversations } from '../conversations.ts';
import { survivesMutations } from '../hardiness.ts';
import { resumesAfterHoles } from '../holes.ts';
import { play, type Step } from '../play.ts';

const all = conversations(join(import.meta.dirname, '../captures/postgresql.pcap'));

const brief = (events: readonly AnalysisEvent[]) =>
  events.map((event) =>
    event.kind === 'exchange' ? `${event.label} = ${event.status} ${event.incomplete ?? ''}`.trim() : event.label,
  );

function message(type: string, body = ''): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, Buffer.from(body)]);
}
const query = (sql: string) => message('Q', `${sql}\0`);
const row = message('D', '\0\x01\0\0\0\x011');
const answer = (tag: string, rows = 1) =>
  Buffer.concat([...Array.from({ length: rows }, () => row), message('C', `${tag}\0`), message('Z', 'I')]);

test('a client that waits is followed again with the exchange behind the hole', () => {
  const steps = Array.from({ length: 24 }, (_, index): Step[] => [
    [0, query(`select ${index}`)],
    [1, answer(`SELECT ${index}`, 1 + (index % 3))],
  ]).flat();
  resumesAfterHoles(postgresql, steps, 2, 24);
  for (const conversation of all.slice(0, 3)) resumesAfterHoles(postgresql, conversation, 0, conversation.length);
});

test('rows that are missing within a result leave its end known; what is missing is marked', () => {
  const rows = answer('SELECT 200', 200);
  const steps: Step[] = [
    [0, query('select 1')],
    [1, rows.subarray(0, 500)],
    [1, { gap: 700 }],
    [1, rows.subarray(1200)],
    [0, query('select 2')],
    [1, answer('SELECT 1')],
  ];
  const [first, second] = play(postgresql, steps);
  expect(first).toMatchObject({
    label: 'select 1',
    status: 'OK',
    incomplete: 'response not captured',
    failed: false,
    responseEnd: 3e6,
    fields: { sql: { rows: 200 } },
  });
  expect(second).toMatchObject({ label: 'select 2', status: 'OK', incomplete: undefined });
});

test('a hole within one long message costs nothing but that message', () => {
  const long = message('D', `\0\x01\0\0\x27\x10${'x'.repeat(10_000)}`);
  const end = answer('SELECT 2', 1);
  const steps: Step[] = [
    [0, query('select 1')],
    [1, long.subarray(0, 4000)],
    [1, { gap: 2000 }],
    [1, Buffer.concat([long.subarray(6000), end])],
  ];
  expect(brief(play(postgresql, steps))).toEqual(['select 1 = OK']);
});

test('with several queries under way, a lost answer shifts none of the others', () => {
  const steps: Step[] = [
    [0, Buffer.concat([query('select 1'), query('select 2'), query('select 3')])],
    [1, { gap: answer('SELECT 1').length }],
    [1, answer('SELECT 2')],
    [1, answer('SELECT 3')],
    [0, query('select 4')],
    [1, answer('SELECT 4')],
  ];
  for (const event of play(postgresql, steps)) {
    if (event.kind !== 'exchange' || event.incomplete !== undefined) continue;
    const { rows } = event.fields.sql as { rows: number };
    expect(event.label).toBe(`select ${rows}`);
  }
});

test('a request of which the end is missing is marked, and its answer is its own', () => {
  const text = query(`select '${'x'.repeat(3000)}'`);
  const steps: Step[] = [
    [0, text.subarray(0, 1448)],
    [0, { gap: text.length - 1448 }],
    [1, answer('SELECT 1')],
    [0, query('select 2')],
    [1, answer('SELECT 1')],
  ];
  const [first, second] = play(postgresql, steps);
  expect(first).toMatchObject({ status: 'OK', incomplete: 'request not captured', failed: false });
  expect(second).toMatchObject({ label: 'select 2', status: 'OK', incomplete: undefined });
});

test('bytes that are no messages are said to be skipped, once, and the next query is read', () => {
  const steps: Step[] = [
    ...all.slice(0, 1).flat(),
    [0, query('select 1')],
    [1, answer('SELECT 1')],
    [0, 'not a message at all'],
    [0, 'nor this'],
    [0, query('select 2')],
    [1, answer('SELECT 1')],
  ];
  const events = play(postgresql, steps);
  expect(events.filter(({ kind }) => kind === 'event')).toMatchObject([
    { code: 'PROTOCOL_LOST', from: 0, position: expect.any(Number) },
  ]);
  expect(brief(events).some((line) => line.startsWith('select 2 = '))).toBe(true);
});

test('any bytes, any losses: nothing is thrown, and cutting changes nothing', () => {
  survivesMutations(postgresql, all, 150);
});
