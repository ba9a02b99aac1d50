// What real programs said without TLS (the captures of each protocol) is said again through real TLS peers: with their keys, ksnoop
// finds the same exchanges as without TLS.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KeyLog } from '../../../../../src/analyze/protocols/tls/decrypt/key-log.ts';
import { type AnalysisEvent, SIDE } from '../../../../../src/analyze/record/event.ts';
import { analyseBytes } from '../../../../support/analysis.ts';
import { conversations } from '../../conversations.ts';
import { type RecordedStep, recordSteps } from './recorded.ts';
import { tlsCapture } from './tls-capture.ts';

const CAPTURES = join(import.meta.dirname, '../../captures');
/** Of one capture; more of them say the same. */
const CONVERSATIONS = 6;
/** Of one conversation. */
const STEPS = 120;

const conversationsOf = (capture: string): RecordedStep[][] =>
  conversations(join(CAPTURES, `${capture}.pcap`))
    .map((steps) =>
      steps
        .slice(0, STEPS)
        .flatMap(([side, what]) => (what instanceof Uint8Array ? [[side, Buffer.from(what)] as const] : [])),
    )
    .filter((steps) => !steps.some(([, bytes]) => bytes[0] === 0x16 && bytes[1] === 3))
    .slice(0, CONVERSATIONS);

/** What was said, without what depends on the way it travelled: the times, and the handshake. */
const withoutTls = (events: readonly AnalysisEvent[]) =>
  events.flatMap((event) => {
    if (event.protocol === 'tls') return [];
    const { kind, protocol, label, fields } = event;
    const route = 'route' in event ? event.route : undefined;
    const { tls: _tls, ...own } = fields;
    if (event.kind !== 'exchange') return [{ kind, protocol, label, route, own }];
    const { status, failed, incomplete, requestBytes, responseBytes } = event;
    return [{ kind, protocol, label, route, own, status, failed, incomplete, requestBytes, responseBytes }];
  });

function eventsOf(steps: readonly RecordedStep[], keyLog = ''): AnalysisEvent[] {
  const keys = new KeyLog();
  keys.add(keyLog);
  return analyseBytes(tlsCapture(steps), true, 1 << 20, keys).events.map(({ event }) => event);
}

const exchangesOf = (steps: readonly RecordedStep[], keyLog?: string) =>
  withoutTls(eventsOf(steps, keyLog)).filter(({ kind }) => kind === 'exchange');

test.each([
  ['http2', 'http', 2],
  ['http2', 'grpc', 1],
  ['triple', 'grpc', 6],
  ['postgresql', 'postgresql', 3],
  ['mysql', 'mysql', 3],
  ['kafka', 'kafka', 3],
  ['amqp', 'amqp', 3],
  ['mongodb', 'mongodb', 3],
  ['memcached', 'memcached', 3],
  ['nats', 'nats', 1],
  ['mqtt', 'mqtt', 3],
  ['cql', 'cql', 3],
  ['tds', 'tds', 3],
  ['ldap', 'ldap', 3],
  ['smtp', 'smtp', 3],
  ['thrift', 'thrift', 3],
  ['fastcgi', 'fastcgi', 3],
  ['pulsar', 'pulsar', 1],
  ['rocketmq', 'rocketmq', 1],
] as const)('%s.pcap over TLS 1.2 and 1.3: %s', async (capture, protocol, least) => {
  let exchanges = 0;
  for (const [index, steps] of conversationsOf(capture).entries()) {
    const plain = withoutTls(eventsOf(steps));
    const recorded = await recordSteps({ version: index % 2 === 0 ? 'TLSv1.3' : 'TLSv1.2' }, steps);
    expect(withoutTls(eventsOf(recorded.steps, recorded.keyLog))).toEqual(plain);
    exchanges += plain.filter((event) => event.kind === 'exchange' && event.protocol === protocol).length;
  }
  expect(exchanges).toBeGreaterThanOrEqual(least);
});

const c = (words: string): RecordedStep => [SIDE.client, Buffer.from(words, 'latin1')];
const s = (words: string): RecordedStep => [SIDE.server, Buffer.from(words, 'latin1')];
const EHLO = [c('EHLO web.test\r\n'), s('250-mail.test\r\n250 AUTH PLAIN\r\n')];
/** The first conversation that has more than a login. */
const talkOf = (capture: string) => conversationsOf(capture).find((steps) => steps.length > 4) ?? [];

/** A connection that begins TLS within its protocol. */
interface Begun {
  readonly name: string;
  readonly before: readonly RecordedStep[];
  /** Exchanges of `before`. */
  readonly labels: readonly string[];
  readonly inside: readonly RecordedStep[];
}

const BEGUN: readonly Begun[] = [
  {
    name: 'Redis, TLS from the first byte on',
    before: [],
    labels: [],
    inside: [
      c('*2\r\n$4\r\nAUTH\r\n$7\r\nhunter2\r\n'),
      s('+OK\r\n'),
      c('*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n'),
      s('-READONLY no\r\n'),
      c('*2\r\n$3\r\nGET\r\n$1\r\na\r\n'),
      s('$1\r\nb\r\n'),
    ],
  },
  {
    name: 'SMTP, STARTTLS',
    before: [s('220 mail.test ESMTP\r\n'), ...EHLO, c('STARTTLS\r\n'), s('220 go on\r\n')],
    labels: ['EHLO web.test', 'STARTTLS'],
    inside: [
      ...EHLO,
      c('AUTH PLAIN AGNsZXJrAGh1bnRlcjI=\r\n'),
      s('235 2.7.0 ok\r\n'),
      c('MAIL FROM:<a@b.test>\r\n'),
      s('250 ok\r\n'),
      c('QUIT\r\n'),
      s('221 bye\r\n'),
    ],
  },
  {
    name: 'PostgreSQL, SSLRequest',
    before: [[SIDE.client, Buffer.from('0000000804d2162f', 'hex')], s('S')],
    labels: [],
    inside: talkOf('postgresql'),
  },
  {
    name: 'LDAP, StartTLS',
    before: [
      c('\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037'),
      s('\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00'),
    ],
    labels: ['extended StartTLS'],
    inside: talkOf('ldap'),
  },
];

describe.each(BEGUN)('$name', ({ before, labels, inside }) => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s: what is inside is decoded as without TLS', async (version) => {
    const plain = exchangesOf(inside);
    expect(plain.length).toBeGreaterThan(2);
    const recorded = await recordSteps({ version }, inside);
    const all = [...before, ...recorded.steps];
    const found = exchangesOf(all, recorded.keyLog);
    expect(found.slice(0, labels.length).map(({ label }) => label)).toEqual(labels);
    expect(found.slice(labels.length)).toEqual(plain);
    expect(exchangesOf(all).map(({ label }) => label)).toEqual(labels);
    expect(JSON.stringify(found)).not.toMatch(/hunter2|AGNs/);
  });
});
