import { join } from 'node:path';
import { expect, test } from 'vitest';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';
import { conversations } from './conversations.ts';
import type { Step } from './play.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const PROXY = Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.9 51234 443\r\n');
const SIGNATURE = '0d0a0d0a000d0a515549540a';
const PROXY_2 = hex(`${SIGNATURE} 2111 000c cb007107 0a000009 c822 01bb`);
/** SOCKS 5: a greeting and its answer, a request for 10.0.0.9 and its reply. */
const SOCKS: readonly Step[] = [
  [0, hex('05 01 00')],
  [1, hex('05 00')],
  [0, hex('05 01 00 01 0a000009 0050')],
  [1, hex('05 00 00 01 00000000 0000')],
];

const PORTS = [40_000, 39_999] as const;

/** What the analysis finds in a connection whose sides send these; the ports are no usual ones. */
function found(steps: readonly Step[]): string[] {
  const next: [number, number] = [1, 1];
  const segments = handshake([0, 0]).map((segment): BuiltSegment => ({ ...segment, ports: PORTS }));
  for (const [index, [side, payload]] of steps.entries()) {
    const other = side === 0 ? 1 : 0;
    const bytes = payload as Uint8Array;
    const [sequence, acknowledgment] = [next[side], next[other]];
    segments.push({ side, sequence, acknowledgment, flags: 'P.', payload: bytes, at: 10 + index, ports: PORTS });
    next[side] += bytes.length;
  }
  return analyseBytes(builtPcap(segments)).events.map(({ event }) => {
    if (event.kind !== 'exchange') return `${event.protocol} ${event.label}`;
    const { protocol, label, status, incomplete = '', failed, requestBytes, responseBytes } = event;
    return [protocol, label, status, incomplete, failed, requestBytes, responseBytes].join(' | ');
  });
}

/** A header of the client before a conversation: in a segment of its own, or in that of the client's first bytes. */
function headed(header: Buffer, steps: readonly Step[]): Step[][] {
  const alone: Step[] = [[0, header], ...steps];
  const first = steps.findIndex(([side]) => side === 0);
  if (first !== 0) return [alone];
  const [, payload] = steps[0] as Step;
  return [alone, [[0, Buffer.concat([header, payload as Uint8Array])], ...steps.slice(1)]];
}

test.each([
  'captures/amqp.pcap',
  'captures/fastcgi.pcap',
  'captures/http2.pcap',
  'captures/kafka.pcap',
  'captures/memcached.pcap',
  'captures/mongodb.pcap',
  'captures/mysql.pcap',
  'captures/mysql-states.pcap',
  'captures/postgresql.pcap',
  'captures/postgresql-states.pcap',
  'captures/pulsar.pcap',
  'captures/rocketmq.pcap',
  'captures/thrift.pcap',
  'captures/tns.pcap',
  'captures/tls.pcap',
  'captures/websocket.pcap',
  'redis/captures/redis-unsubscribe-all.pcap',
])('%s: behind the PROXY protocol and behind SOCKS everything is found as without', (name) => {
  let compared = 0;
  for (const steps of conversations(join(import.meta.dirname, name)).slice(0, 12)) {
    const plain = found(steps);
    if (plain.length === 0) continue;
    compared += 1;
    for (const header of [PROXY, PROXY_2]) {
      for (const behind of headed(header, steps)) expect(found(behind).slice(1)).toEqual(plain);
    }
    expect(found([...SOCKS, ...steps]).slice(1)).toEqual(plain);
  }
  expect(compared).toBeGreaterThan(0);
});

test.each([
  ['Redis', '-ERR max number of clients reached\r\n'],
  ['MySQL', '\x17\0\0\0\xff\x10\x04Too many connections'],
])('a %s server that refuses the connection does so behind them too', (_, words) => {
  const steps: Step[] = [[1, Buffer.from(words, 'latin1')]];
  const plain = found(steps);
  expect(plain).toHaveLength(1);
  expect(found([[0, PROXY], ...steps]).slice(1)).toEqual(plain);
  expect(found([...SOCKS, ...steps]).slice(1)).toEqual(plain);
});
