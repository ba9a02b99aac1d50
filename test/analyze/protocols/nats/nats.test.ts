import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { nats } from '../../../../src/analyze/protocols/nats/index.ts';
import { ackSubject, subjectRoute, subscribes } from '../../../../src/analyze/protocols/nats/subject.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { brief, briefOfFile } from '../brief.ts';
import { conversations } from '../conversations.ts';
import { inventsNothing, likesNoNoise, sameHoweverCut, survivesMutations } from '../hardiness.ts';
import { play, type Step } from '../play.ts';

const CAPTURE = fileURLToPath(new URL('../captures/nats.pcap', import.meta.url));
const ALL = conversations(CAPTURE);
const INFO: Step = [1, 'INFO {"server_id":"NA","version":"2.10.22","max_payload":1048576}\r\n'];
const CONNECT: Step = [
  0,
  'CONNECT {"verbose":false,"user":"shop","pass":"hunter2","auth_token":"hush","sig":"hush2","name":"web","lang":"go","version":"1.4"}\r\nPING\r\nSUB _INBOX.a.* 1\r\n',
];
const PONG: Step = [1, 'PONG\r\n'];
const OPENING = [INFO, CONNECT, PONG];

const told = (steps: readonly Step[], options = {}) => brief(play(nats, steps, options));

describe('a real server and clients', () => {
  it('requests of both sides, messages, JetStream, and what the server refuses', async () => {
    expect(await briefOfFile(CAPTURE)).toMatchSnapshot();
  });

  it('an exchange has its parts', async () => {
    const events = (await analyseFile(CAPTURE)).events.map(({ event }) => event);
    expect(events.find(({ label }) => label === 'orders.broken')).toMatchObject({
      kind: 'exchange',
      route: 'orders.broken',
      status: '500 no stock',
      failed: true,
      fields: { nats: { subject: 'orders.broken', code: 500, error: 'no stock' } },
    });
    expect(events.find((event) => event.kind === 'exchange' && event.label === 'stored.new')).toMatchObject({
      fields: { nats: { stream: 'ORDERS', sequence: 1 } },
    });
    expect(events.find(({ label }) => label === 'nak ORDERS billing')).toMatchObject({
      kind: 'message',
      fields: { nats: { operation: 'nak', stream: 'ORDERS', consumer: 'billing', sequence: 2 } },
    });
  });

  it('shows no credential', async () => {
    expect(JSON.stringify((await analyseFile(CAPTURE)).events)).not.toMatch(/hunter2/);
    const events = JSON.stringify(play(nats, OPENING));
    expect(events).toContain('go 1.4');
    expect(events).not.toMatch(/hunter2|hush/);
  });
});

describe('any bytes', () => {
  it('the same events however the stream is cut', () => {
    for (const steps of ALL) sameHoweverCut(nats, steps);
  });

  it('mutated conversations', () => survivesMutations(nats, ALL, 300));

  it('random bytes are not NATS', () => likesNoNoise(nats, 300_000));

  it('knows whose bytes they are when the capture begins in the middle', () => {
    for (const steps of ALL) {
      for (const [side, what] of steps) {
        const bytes = what as Uint8Array;
        expect(nats.probe(bytes, 0, bytes.length)).not.toBe(side === 0 ? 'server' : 'client');
      }
    }
  });

  it('goes on behind what was not captured, and invents nothing', () => {
    // A reply whose request is missing is a message, and an error without its CONNECT an event.
    const about = (label: string) =>
      /_INBOX\.|Violation/.test(label) ? 'CONNECT' : label.replace(/^(?:PUB|MSG) /, '');
    for (const steps of ALL) inventsNothing(nats, steps, ({ label }) => about(label));
  });
});

test.each([
  ['CONNECT {"verbose":false}\r\n', 'client'],
  ['INFO {"server_id":"NA"}\r\n', 'server'],
  ['PUB a.b 3\r\nabc\r\n', 'client'],
  ['HPUB a.b r 12 15\r\n', 'client'],
  ['SUB a.> workers 7\r\n', 'client'],
  ['MSG a.b 7 3\r\nabc\r\n', 'server'],
  ["-ERR 'Stale Connection'\r\n", 'server'],
  ['PING\r\n', 'more'],
  ['PING\r\nPONG\r\n', 'more'],
  ['PING\r\nMSG a.b 7 3\r\nabc\r\n', 'server'],
  ['PING\r\n+OK\r\n', 'no'],
  ['PUB a.b', 'more'],
  ['PUB a.b three\r\n', 'no'],
  ['CONNECT shop:443 HTTP/1.1\r\n\r\n', 'no'],
  ['SUBSCRIBE\nid:0\n', 'no'],
  ['-ERR no such mailbox\r\n', 'no'],
  ['INFO replication\r\n', 'no'],
  ['+OK\r\n', 'no'],
  // MSN Messenger.
  ['MSG 26 N 104\r\nMIME-Version: 1.0\r\n', 'no'],
  ['MSG bob@example.com Bob 104\r\nMIME-Version: 1.0\r\n', 'no'],
  ['MSG a.b 7 3\r\nabcdef\r\n', 'no'],
] as const)('%s is %s', (text, likeness) => {
  const bytes = Buffer.from(text);
  expect(nats.probe(bytes, 0, bytes.length)).toBe(likeness);
});

describe('what the capture does not have', () => {
  it('a request without a reply has failed when the client closes; one whose reply others have is a message', () => {
    const steps: Step[] = [...OPENING, [0, 'PUB a _INBOX.a.1 1\r\nx\r\nPUB b others.reply 1\r\nx\r\n']];
    expect(told(steps)).toEqual(['CONNECT = ok', 'message PUB b from client', 'a = ! [no response]']);
    expect(told(steps, { end: 'capture ended' }).at(-1)).toBe('a =  [capture ended]');
  });

  it('from the middle on a reply without its request is a message, and a request that is not answered too', () => {
    const steps: Step[] = [
      [0, 'PUB a _INBOX.a.1 1\r\nx\r\n'],
      [1, 'MSG _INBOX.a.1 1 2\r\nok\r\nMSG _INBOX.a.0 1 2\r\nok\r\n'],
      [0, 'PUB b _INBOX.a.2 1\r\nx\r\n'],
    ];
    expect(told(steps, { midstream: true })).toEqual([
      'a = ok',
      'message MSG _INBOX.a.0 from server',
      'message PUB b from client',
    ]);
  });

  it('a wrong password, and an error later on', () => {
    expect(told([INFO, CONNECT, [1, "-ERR 'Authorization Violation'\r\n"]])).toEqual([
      'CONNECT = Authorization Violation!',
    ]);
    expect(told([...OPENING, [1, "-ERR 'Slow Consumer Detected'\r\n"]])).toEqual([
      'CONNECT = ok',
      'NATS_ERROR Slow Consumer Detected',
    ]);
  });

  it('the rest of a message that was not captured is passed over', () => {
    const steps: Step[] = [
      ...OPENING,
      [0, 'PUB a _INBOX.a.1 3000\r\nbegin'],
      [0, { gap: 2995 }],
      [0, '\r\nPUB b _INBOX.a.2 1\r\nx\r\n'],
      [1, 'MSG _INBOX.a.2 1 2\r\nok\r\nMSG _INBOX.a.1 1 2\r\nok\r\n'],
    ];
    expect(told(steps)).toEqual(['CONNECT = ok', 'b = ok', 'a = ok [request not captured]']);
  });

  it('finds the next message behind a hole and what is left of a payload', () => {
    const steps: Step[] = [
      ...OPENING,
      [0, 'PUB a 3000\r\nbegin'],
      [0, { gap: 9000 }],
      [0, 'rest of something\r\nPUB b _INBOX.a.2 1\r\nx\r\n'],
      [1, 'MSG _INBOX.a.2 1 2\r\nok\r\n'],
    ];
    expect(told(steps).slice(-2)).toEqual([expect.stringMatching(/^PROTOCOL_LOST NATS not understood/), 'b = ok']);
  });

  it('TLS behind the INFO is TLS', () => {
    const hello = Buffer.from('1603010005010000010300', 'hex');
    const events = play(nats, [INFO, [0, hello]]);
    expect(events.filter(({ protocol }) => protocol === 'nats')).toEqual([]);
  });

  it('a connection between servers is named, once', () => {
    const steps: Step[] = [
      INFO,
      [0, 'INFO {"server_id":"NB"}\r\nRS+ $G a\r\n'],
      [1, 'RS+ $G b\r\nRMSG $G a 1\r\nx\r\n'],
    ];
    expect(brief(sameHoweverCut(nats, steps))).toEqual(['NATS_CLUSTER connection between servers, not decoded']);
  });
});

test('routes of subjects have no ids', () => {
  expect(subjectRoute('orders.17.created')).toBe('orders.*.created');
  expect(subjectRoute('_INBOX.x.y')).toBe('_INBOX.*');
  expect(subjectRoute('a.VbSUFAVqpTkmvFNoDOmBlb1.b')).toBe('a.*.b');
  expect(subjectRoute('$JS.API.STREAM.INFO.ORDERS')).toBe('$JS.API.STREAM.INFO.ORDERS');
});

test.each([
  ['a.b', 'a.b', true],
  ['a.*', 'a.b', true],
  ['a.*', 'a.b.c', false],
  ['a.>', 'a.b.c', true],
  ['a.>', 'a', false],
  ['*.b', 'a.c', false],
  ['a', 'a.b', false],
])('%s takes %s: %s', (pattern, subject, taken) => expect(subscribes(pattern, subject)).toBe(taken));

test('the subjects that acknowledge', () => {
  expect(ackSubject('$JS.ACK.ORDERS.billing.1.22.3.1700000000.0')).toEqual({
    stream: 'ORDERS',
    consumer: 'billing',
    sequence: 22,
  });
  expect(ackSubject('$JS.ACK._.acc.ORDERS.billing.1.22.3.1700000000.0.x')).toMatchObject({
    stream: 'ORDERS',
    sequence: 22,
  });
  expect(ackSubject('$JS.ACK.ORDERS')).toBeUndefined();
});
