import { expect, test } from 'vitest';
import { socks } from '../../../src/analyze/protocols/socks.ts';
import type { AnalysisEvent } from '../../../src/analyze/record/event.ts';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';
import { Random } from '../../support/random.ts';
import { likesNoNoise } from './hardiness.ts';
import { play, playCut, type Step } from './play.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const NAME = Buffer.from('shop.test').toString('hex');
const GREETING = hex('05 02 00 02');
const CONNECT = hex(`05 01 00 03 09 ${NAME} 0050`);
const GRANTED = hex('05 00 00 01 00000000 0000');
const REFUSED = hex('05 05 00 01 00000000 0000');

const brief = (events: readonly AnalysisEvent[]) =>
  events.map((event) =>
    event.kind === 'exchange' ? `${event.label} = ${event.status}${event.failed ? ' failed' : ''}` : event.label,
  );

test.each<[string, Step[], string[]]>([
  [
    '5',
    [
      [0, GREETING],
      [1, hex('05 00')],
      [0, CONNECT],
      [1, GRANTED],
    ],
    ['CONNECT shop.test:80 = granted'],
  ],
  [
    '5 with a password',
    [
      [0, GREETING],
      [1, hex('05 02')],
      [0, hex('01 02 6d65 03 616263')],
      [1, hex('01 00')],
      [0, CONNECT],
      [1, GRANTED],
    ],
    ['CONNECT shop.test:80 = granted'],
  ],
  [
    '5, refused',
    [
      [0, GREETING],
      [1, hex('05 00')],
      [0, CONNECT],
      [1, REFUSED],
    ],
    ['CONNECT shop.test:80 = connection refused failed'],
  ],
  [
    '5 to IPv6',
    [
      [0, GREETING],
      [1, hex('05 00')],
      [0, hex(`05 01 00 04 ${'fd'.padEnd(31, '0')}1 01bb`)],
      [1, GRANTED],
    ],
    ['CONNECT [fd00::1]:443 = granted'],
  ],
  [
    '4',
    [
      [0, hex('04 01 0050 0a000009 6d6500')],
      [1, hex('00 5a 0000 00000000')],
    ],
    ['CONNECT 10.0.0.9:80 = granted'],
  ],
  [
    '4a',
    [
      [0, hex(`04 01 0050 00000001 00 ${NAME} 00`)],
      [1, hex('00 5b 0000 00000000')],
    ],
    ['CONNECT shop.test:80 = rejected failed'],
  ],
])('SOCKS %s, cut anywhere', (_, steps, expected) => {
  for (const events of playCut(socks, steps)) expect(brief(events)).toEqual(expected);
  const [first] = steps as [Step];
  const bytes = first[1] as Uint8Array;
  expect(socks.probe(bytes, 0, bytes.length)).toBe('client');
});

/** What is seen of a connection through the proxy, whose sides send these in turn. */
function throughProxy(...rest: readonly (Buffer | string)[]): readonly AnalysisEvent[] {
  return played([GREETING, hex('05 00'), CONNECT, ...rest]);
}

/** What is seen of a connection whose sides send these in turn. */
function played(parts: readonly (Buffer | string)[]): readonly AnalysisEvent[] {
  const next = [1, 1];
  const segments: BuiltSegment[] = [...handshake([0, 0])];
  for (const [index, payload] of parts.entries()) {
    const side = (index % 2) as 0 | 1;
    segments.push({
      side,
      sequence: next[side] ?? 0,
      acknowledgment: next[1 - side] ?? 0,
      flags: 'P.',
      payload,
      at: 10 + index,
    });
    next[side] = (next[side] ?? 0) + payload.length;
  }
  return analyseBytes(builtPcap(segments)).events.map(({ event }) => event);
}

test('what is asked for through the proxy is decoded, and names its target', () => {
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
  const events = throughProxy(GRANTED, 'GET /x HTTP/1.1\r\n\r\n', answer);
  expect(brief(events)).toEqual(['CONNECT shop.test:80 = granted', 'GET /x = 200']);
  expect(events[1]?.fields.socks).toEqual({ version: 5, host: 'shop.test', port: 80 });
});

test('behind an HTTP CONNECT what is asked for is decoded and names its target, and credentials are nowhere', () => {
  const parts = [
    'CONNECT shop.test:80 HTTP/1.1\r\nHost: shop.test:80\r\nProxy-Authorization: Basic c2VjcmV0OnNlY3JldA==\r\n\r\n',
    'HTTP/1.1 200 Connection established\r\n\r\n',
    '*1\r\n$4\r\nPING\r\n',
    '+PONG\r\n',
  ];
  const events = played(parts);
  expect(brief(events)).toEqual(['CONNECT shop.test:80 = 200', 'PING = PONG']);
  expect(events[1]?.fields.connect).toEqual({ host: 'shop.test', port: 80 });
  expect(JSON.stringify(events)).not.toContain('c2VjcmV0');
});

test('a server that speaks first: its words in the segment of the reply are decoded', () => {
  const words = '\xff\x10\x04Too many connections';
  const refusal = Buffer.concat([Buffer.of(words.length, 0, 0, 0), Buffer.from(words, 'latin1')]);
  const events = throughProxy(Buffer.concat([GRANTED, refusal]));
  expect(brief(events)).toEqual(['CONNECT shop.test:80 = granted', 'connect = ERROR 1040 Too many connections failed']);
});

test('passwords are nowhere, a handshake that breaks off says so, and no bytes are too odd', () => {
  const password: Step[] = [
    [0, GREETING],
    [1, hex('05 02')],
    [0, hex('01 02 6d65 03 616263')],
    [1, hex('01 01')],
  ];
  const [lost] = play(socks, password);
  expect(lost).toMatchObject({ code: 'PROTOCOL_LOST', label: expect.stringContaining('the password was refused') });
  expect(JSON.stringify(lost)).not.toContain('abc');
  expect(
    play(socks, [
      [0, GREETING],
      [1, hex('05 00')],
      [0, CONNECT],
    ]),
  ).toMatchObject([{ incomplete: 'no response', failed: true }]);
  likesNoNoise(socks, 100_000);
  const random = new Random(3);
  for (let round = 0; round < 2000; round += 1) {
    const steps = Array.from({ length: 6 }, (): Step => {
      const bytes = Uint8Array.from([GREETING, CONNECT, GRANTED, hex('05 00')][random.below(4)] as Buffer);
      if (random.below(2) === 0) bytes[random.below(bytes.length)] = random.below(256);
      return [random.below(2) === 0 ? 0 : 1, bytes];
    });
    expect(play(socks, steps).length).toBeLessThan(3);
  }
});
