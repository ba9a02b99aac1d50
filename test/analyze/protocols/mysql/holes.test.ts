import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mysql } from '../../../../src/analyze/protocols/mysql/index.ts';
import { conversations } from '../conversations.ts';
import { survivesMutations } from '../hardiness.ts';
import { resumesAfterHoles } from '../holes.ts';
import { play, type Step } from '../play.ts';
import { command, error, ok, packet, prepared, result } from './packets.ts';

const all = ['mysql.pcap', 'mysql-states.pcap'].flatMap((name) =>
  conversations(join(import.meta.dirname, '../captures', name)),
);

test('a client that waits is followed again with the exchange behind the hole', () => {
  const steps = Array.from({ length: 24 }, (_, index): Step[] => [
    [0, command(3, `select ${index}`)],
    [1, index % 4 === 0 ? error(1, 2000 + index, `no ${index}`) : result(['a'], index % 4, index % 2 === 0)],
  ]).flat();
  resumesAfterHoles(mysql, steps, 2, 24);
  for (const conversation of all.slice(0, 4)) resumesAfterHoles(mysql, conversation, 0, conversation.length);
});

test('a hole that ends within an answer: the answer is marked, and none is shifted', () => {
  const rows = result(['a'], 100, false);
  const steps: Step[] = [
    [0, command(14)],
    [1, ok(1)],
    [0, command(3, 'select 1')],
    [1, rows.subarray(0, 200)],
    [1, { gap: 100 }],
    [1, rows.subarray(300)],
    [0, command(3, 'select 2')],
    [1, error(1, 1064, 'not so')],
  ];
  const events = play(mysql, steps).filter(({ kind }) => kind === 'exchange');
  expect(events).toMatchObject([
    { label: 'PING', status: 'OK' },
    { label: 'select 1', incomplete: 'response not captured', failed: false, status: '' },
    { label: 'select 2', status: 'ERROR 1064 not so', incomplete: undefined },
  ]);
});

test('a command of which the end is missing is marked, and its answer is its own', () => {
  const text = command(3, `select '${'x'.repeat(3000)}'`);
  const steps: Step[] = [
    [0, text.subarray(0, 1448)],
    [0, { gap: text.length - 1448 }],
    [1, error(1, 1064, 'not so')],
    [0, command(14)],
    [1, ok(1)],
  ];
  expect(play(mysql, steps)).toMatchObject([
    { status: 'ERROR 1064 not so', incomplete: 'request not captured', failed: true },
    { label: 'PING', status: 'OK', incomplete: undefined },
  ]);
});

test('a command that there is none of: said once, and the next statement is read', () => {
  const events = play(mysql, [
    [0, command(3, 'select 1')],
    [1, result(['a'], 1, false)],
    [0, command(99, 'what')],
    [0, command(98, 'ever')],
    [0, command(3, 'select 2')],
    [1, result(['a'], 1, false)],
  ]);
  const lost = events.filter(({ kind }) => kind === 'event').map(({ label }) => label);
  expect(lost).toEqual([
    'MySQL not understood at byte 13 from the client: no such command; resumes at the next statement',
  ]);
  expect(events.map(({ label }) => label)).toEqual(expect.arrayContaining(['select 1', 'select 2']));
});

test('a packet with a number that cannot come: said once, and the next answer is read', () => {
  const steps: Step[] = [
    [0, command(3, 'select 1')],
    [1, result(['a'], 2, false).subarray(0, 5)],
    [1, ok(99)],
  ];
  const events = play(mysql, [...steps, [0, command(14)], [1, ok(1)]]);
  expect(events.filter(({ kind }) => kind === 'event')).toMatchObject([{ code: 'PROTOCOL_LOST', from: 1 }]);
  for (const event of events) {
    if (event.kind === 'exchange' && event.label === 'select 1') expect(event.status).not.toBe('OK');
  }
});

test('any bytes, any losses: nothing is thrown, and cutting changes nothing', () => {
  survivesMutations(mysql, all, 150);
});

test('rows of a fetch and columns of a prepared statement that were not asked for are one answer', () => {
  const row = (sequence: number) => packet(sequence, Buffer.from([0, 0, 1, 0, 0, 0, 2, 0, 0, 0]));
  const steps: Step[] = [
    [0, command(14)],
    [1, ok(1)],
    [0, { gap: 13 }],
    [1, Buffer.concat([row(1), row(2), row(3), packet(4, Buffer.from([0xfe, 0, 0, 0x82, 0]))])],
    [0, { gap: 20 }],
    [1, prepared(7, 2, 1, false)],
    [0, command(3, 'select 2')],
    [1, error(1, 1064, 'not so')],
  ];
  const events = play(mysql, steps);
  expect(events).toMatchObject([
    { label: 'PING', status: 'OK' },
    { label: '(request not seen)' },
    { label: '(request not seen)' },
    { label: 'select 2', status: 'ERROR 1064 not so' },
  ]);
});
