import { join } from 'node:path';
import { expect, test } from 'vitest';
import { proxyProtocol } from '../../../src/analyze/protocols/proxy-protocol.ts';
import { analyseBytes, analyseFile } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';
import { Random } from '../../support/random.ts';
import { likesNoNoise } from './hardiness.ts';
import { play } from './play.ts';

const V1 = Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.9 51234 443\r\n');
const V1_UNKNOWN = Buffer.from('PROXY UNKNOWN\r\n');
const SIGNATURE = '0d0a0d0a000d0a515549540a';
const V2 = Buffer.from(
  `${SIGNATURE}2111 0018 cb007107 0a000009 c822 01bb 020009 73686f702e746573 74`.replaceAll(' ', ''),
  'hex',
);
const V2_IPV6 = Buffer.from(
  `${SIGNATURE}21210024${'20010db8'.padEnd(32, '0').slice(0, 31)}7${'fd'.padEnd(31, '0')}9c82201bb`,
  'hex',
);
const V2_LOCAL = Buffer.from(`${SIGNATURE}20000000`, 'hex');

const GET = Buffer.from('GET /x HTTP/1.1\r\n\r\n');
const OK = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
const REDIS = Buffer.from('*2\r\n$3\r\nGET\r\n$1\r\nk\r\n');
const VALUE = Buffer.from('$1\r\nv\r\n');

/** A header and then requests and answers, the client's bytes cut after so many. */
function connection(header: Buffer, pairs: readonly (readonly [Buffer, Buffer])[], cut: number) {
  const segments: BuiltSegment[] = [...handshake([0, 0])];
  let at = 10;
  const next = [1, 1];
  const send = (side: 0 | 1, payload: Buffer) => {
    for (let from = 0; from < payload.length; from += cut) {
      const part = payload.subarray(from, from + cut);
      segments.push({
        side,
        sequence: next[side] ?? 0,
        acknowledgment: next[1 - side] ?? 0,
        flags: 'P.',
        payload: part,
        at,
      });
      next[side] = (next[side] ?? 0) + part.length;
      at += 1;
    }
  };
  for (const [index, [request, response]] of pairs.entries()) {
    send(0, index === 0 ? Buffer.concat([header, request]) : request);
    send(1, response);
  }
  return analyseBytes(builtPcap(segments)).events.map(({ event }) => event);
}

test.each<[string, Buffer, object]>([
  ['version 1', V1, { version: 1, client: '203.0.113.7', clientPort: 51234, server: '10.0.0.9', serverPort: 443 }],
  ['version 1, nobody', V1_UNKNOWN, { version: 1 }],
  ['version 2', V2, { version: 2, client: '203.0.113.7', clientPort: 51234, serverPort: 443, authority: 'shop.test' }],
  ['version 2, IPv6', V2_IPV6, { version: 2, client: '2001:db8::7', clientPort: 51234 }],
  ['version 2, the proxy itself', V2_LOCAL, { version: 2 }],
])(
  '%s before HTTP and before Redis, cut anywhere: the protocol is recognised, the client is named',
  (_, header, named) => {
    for (const cut of [1000, header.length, 7, 1]) {
      const [told, ...http] = connection(
        header,
        [
          [GET, OK],
          [GET, OK],
        ],
        cut,
      );
      expect(told).toMatchObject({ code: 'PROXY_CLIENT', fields: { proxy: named } });
      expect(http.map(({ label, fields }) => [label, fields.proxy])).toEqual([
        ['GET /x', expect.objectContaining(named)],
        ['GET /x', expect.objectContaining(named)],
      ]);
      const [, ...redis] = connection(header, [[REDIS, VALUE]], cut);
      expect(redis).toMatchObject([{ protocol: 'redis', label: 'GET k', fields: { proxy: named } }]);
    }
  },
);

test('two proxies, one behind the other', () => {
  const events = connection(Buffer.concat([V2, V1]), [[GET, OK]], 1000);
  expect(events.map(({ label }) => label)).toEqual([
    'v2 client 203.0.113.7:51234',
    'v1 client 203.0.113.7:51234',
    'GET /x',
  ]);
});

test('thousands of headers in one segment are read one by one', () => {
  const events = connection(Buffer.concat(Array<Buffer>(4_000).fill(V1_UNKNOWN)), [[GET, OK]], 65_000);
  expect(events.filter(({ label }) => label === 'v1 no client named')).toHaveLength(4_000);
  expect(events.at(-1)?.label).toBe('GET /x');
});

test.each<[string, Buffer]>([
  ['a line without a carriage return', Buffer.from('PROXY TCP4 203.0.113.7\n')],
  ['a line that is too long', Buffer.from(`PROXY TCP4 ${'1'.repeat(107)}\r\n`)],
  ['extensions of 60 kB', Buffer.from(`${SIGNATURE}2111ea60`, 'hex')],
])('%s in one segment is no header, and what follows is no other one', (_, header) => {
  for (const cut of [1000, 20, 7]) {
    const events = connection(header, [[GET, OK]], cut);
    expect(events.filter(({ protocol }) => protocol === 'proxy')).toEqual([]);
  }
});

test('what only begins like a header is looked at as something else', () => {
  expect(
    connection(Buffer.from('PROXY TCP4 nobody\r\n'), [[GET, OK]], 1000).filter(({ kind }) => kind === 'event'),
  ).toEqual([]);
  const endless = play(proxyProtocol, [[0, `PROXY TCP4 ${'1'.repeat(200)}`]]);
  expect(endless).toEqual([]);
  likesNoNoise(proxyProtocol, 100_000);
  const random = new Random(3);
  for (let round = 0; round < 2000; round += 1) {
    const bytes = Uint8Array.from(random.below(2) === 0 ? V2 : V1);
    for (let change = 0; change < 3; change += 1) bytes[random.below(bytes.length)] = random.below(256);
    expect(
      play(proxyProtocol, [
        [0, bytes],
        [1, { gap: 3 }],
        [0, { gap: 9 }],
      ]).length,
    ).toBeLessThan(2);
  }
});

test.each<[string, string[]]>([
  ['proxy-protocol.pcap', ['GET /x', 'GET /x']],
  ['proxy-protocol-tls.pcap', ['TLS1.3-draft18 blog.cloudflare.com h2,http/1.1']],
])('%s', async (name, labels) => {
  const { events } = await analyseFile(join(import.meta.dirname, 'captures', name));
  const [told, ...others] = events.map(({ event }) => event);
  expect(told).toMatchObject({ code: 'PROXY_CLIENT', fields: { proxy: { client: '203.0.113.7' } } });
  expect(others.map(({ label }) => label)).toEqual(labels);
});

test('a header of another family, as of UNIX sockets, names no client', () => {
  const unix = Buffer.from(`${SIGNATURE}2131 00d8 ${'2f'.repeat(216)}`.replaceAll(' ', ''), 'hex');
  const unspecified = Buffer.from(`${SIGNATURE}2100 0004 04000101`.replaceAll(' ', ''), 'hex');
  for (const header of [unix, unspecified]) {
    const [http] = connection(header, [[GET, OK]], 1000).filter(({ kind }) => kind === 'exchange');
    expect(http?.fields.proxy).toEqual({ version: 2 });
  }
});
