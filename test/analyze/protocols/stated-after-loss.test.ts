import { expect, test } from 'vitest';
import type { ConversationName } from '../../oracle/loss/index.ts';
import { runMany } from '../../oracle/loss/run.ts';

/** Conversations of each protocol: few, so that all together take a few seconds. */
const RUNS = 8;

/**
 * Exchanges that are at least stated whole: where packets are missing, and where only the beginning of each is kept. A change
 * by which less is paired or recognised behind a hole shows here, though nothing becomes wrong by it;
 * test/oracle/loss/loss.test.ts judges many more conversations. Where a change states more, the numbers grow.
 */
const LEAST: Readonly<Record<ConversationName, readonly [capture: number, snaplen: number]>> = {
  socks: [5, 4],
  httpConnect: [4, 0],
  websocket: [136, 30],
  redis: [78, 10],
  tns: [140, 28],
  mqtt: [136, 79],
  cql: [82, 35],
  http2: [121, 8],
  grpc: [117, 3],
  amqp: [142, 47],
  http1: [64, 1],
  mysql: [15, 0],
  smtp: [82, 14],
  fastcgi: [127, 57],
  pulsar: [135, 62],
  ldap: [120, 7],
  thrift: [88, 16],
  dubbo: [92, 6],
  mongodb: [139, 3],
  dnsTcp: [131, 102],
  dnsUdp: [148, 100],
  nats: [161, 25],
  kafka: [130, 62],
  rocketmq: [130, 57],
  memcached: [132, 20],
  memcachedBinary: [123, 64],
  tds: [77, 2],
  postgresql: [96, 19],
};

test.each(Object.entries(LEAST))(
  '%s: nothing is stated wrongly after a loss, and no less than before',
  (name, least) => {
    const capture = runMany(name as ConversationName, 1, RUNS);
    const snaplen = runMany(name as ConversationName, 1, RUNS, 'snaplen');
    expect([...capture.wrong, ...snaplen.wrong]).toEqual([]);
    expect(capture.stated).toBeGreaterThanOrEqual(least[0]);
    expect(snaplen.stated).toBeGreaterThanOrEqual(least[1]);
  },
);
