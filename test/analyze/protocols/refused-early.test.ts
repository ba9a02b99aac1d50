// A server that refuses a request by its beginning answers while the rest is still being sent: a value that is too large, a
// statement longer than max_allowed_packet. The answer is that request's, and what of the rest still comes is nothing else.
import { expect, test } from 'vitest';
import { memcached } from '../../../src/analyze/protocols/memcached/index.ts';
import { mysql } from '../../../src/analyze/protocols/mysql/index.ts';
import type { StreamProtocol } from '../../../src/analyze/protocols/protocol.ts';
import { redis } from '../../../src/analyze/protocols/redis/index.ts';
import { SIDE } from '../../../src/analyze/record/event.ts';
import { play, type Step } from './play.ts';

const { client, server } = SIDE;
const packet = (sequence: number, payload: Buffer, length = payload.length) =>
  Buffer.concat([Buffer.from([length & 255, (length >> 8) & 255, length >> 16, sequence]), payload]);

const GREETING = packet(
  0,
  Buffer.concat([
    Buffer.from('\x0a8.0.30\0', 'latin1'),
    Buffer.from([7, 0, 0, 0]),
    Buffer.from('12345678\0\xff\xf7\x21\x02\x00\xff\x81\x15', 'latin1'),
    Buffer.alloc(10),
    Buffer.from('123456789012\0mysql_native_password\0', 'latin1'),
  ]),
);
const LOGIN = packet(
  1,
  Buffer.concat([
    Buffer.from([0x85, 0xa6, 0x0f, 0, 0, 0, 0, 1, 33]),
    Buffer.alloc(23),
    Buffer.from(`root\0\x14${'p'.repeat(20)}mysql_native_password\0`),
  ]),
);
const OK = packet(2, Buffer.from([0, 0, 0, 2, 0, 0, 0]));
const TOO_LONG = packet(1, Buffer.from('\xff\x81\x04#08S01Got a packet bigger', 'latin1'));

const stated = (protocol: StreamProtocol, steps: readonly Step[]) =>
  play(protocol, steps).map((event) =>
    event.kind === 'exchange'
      ? [event.label.slice(0, 12), event.status, event.incomplete, event.requestBytes, event.responseTime !== undefined]
      : [event.label],
  );

test('memcached: a value that is too large', () => {
  const head = 'set k 0 0 20000\r\n';
  const REFUSED = 'SERVER_ERROR object too large for cache';
  const steps: Step[] = [
    [client, 'get a\r\n'],
    [server, 'END\r\n'],
    [client, `${head}${'x'.repeat(3000)}`],
    [server, `${REFUSED}\r\n`],
    [client, `${'x'.repeat(17_000)}\r\n`],
    [client, 'get b\r\n'],
    [server, 'END\r\n'],
  ];
  expect(stated(memcached, steps)).toEqual([
    ['get a', 'miss', undefined, 7, true],
    ['set k', REFUSED, undefined, head.length + 3000, true],
    ['get b', 'miss', undefined, 7, true],
  ]);
});

test('memcached: an error that may be of an earlier command is not of the one that is being sent', () => {
  const steps: Step[] = [
    [client, 'incr a 1\r\nset k 0 0 20000\r\nxxx'],
    [server, 'CLIENT_ERROR cannot increment\r\n'],
    [client, `${'x'.repeat(19_997)}\r\n`],
    [server, 'STORED\r\n'],
  ];
  expect(stated(memcached, steps).map(([label, status]) => [label, status])).toEqual([
    ['incr a', 'CLIENT_ERROR cannot increment'],
    ['set k', 'STORED'],
  ]);
});

test('Redis: a value that is too long', () => {
  const sent = `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$900000000\r\n${'x'.repeat(2000)}`;
  const steps: Step[] = [
    [client, sent],
    [server, '-ERR Protocol error: invalid bulk length\r\n'],
    [client, `${'x'.repeat(1000)}\r\n*1\r\n$4\r\nPING\r\n`],
  ];
  expect(stated(redis, steps)).toEqual([
    ['SET k', 'ERR Protocol error: invalid bulk length', undefined, sent.length, true],
  ]);
});

const LOGGED_IN: readonly Step[] = [
  [server, GREETING],
  [client, LOGIN],
  [server, OK],
];

test('MySQL: a statement longer than max_allowed_packet', () => {
  const sent = packet(0, Buffer.from(`\x03insert ${'x'.repeat(5000)}`), 10_000_000);
  const steps: Step[] = [...LOGGED_IN, [client, sent], [server, TOO_LONG], [client, 'x'.repeat(9000)]];
  expect(stated(mysql, steps)).toEqual([
    ['connect root', 'OK', undefined, LOGIN.length, true],
    ['insert xxxxx', 'ERROR 1153 Got a packet bigger', undefined, sent.length, true],
  ]);
});

test('MySQL: an error is not the answer of a statement of which the server has received nothing', () => {
  const sent = packet(0, Buffer.from(`\x03insert ${'x'.repeat(5000)}`), 10_000_000);
  const steps: Step[] = [...LOGGED_IN, [client, sent], [server, TOO_LONG, LOGIN.length]];
  expect(stated(mysql, steps).map(([label]) => label)).toEqual(['connect root', '(request not']);
});
