import { expect, test } from 'vitest';
import { redis } from '../../../../src/analyze/protocols/redis/index.ts';
import type { AnalysisEvent } from '../../../../src/analyze/record/event.ts';
import { Random } from '../../../support/random.ts';
import { play, playCut, type Step } from '../play.ts';

const command = (...args: string[]) =>
  `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`;
const brief = (events: readonly AnalysisEvent[]) =>
  events.map((event) =>
    event.kind === 'exchange'
      ? `${event.label} = ${event.status}${event.failed ? '!' : ''} ${event.incomplete ?? ''}`.trim()
      : `${event.kind} ${event.label}`,
  );

const conversations: Record<string, { steps: Step[]; expected: string[] }> = {
  'commands, errors, nil and pipelining': {
    steps: [
      [0, command('SET', 'a', '1') + command('GET', 'nothing') + command('LPUSH', 'a', 'x')],
      [1, '+OK\r\n$-1\r\n-WRONGTYPE Operation against a key\r\n'],
      [0, command('lrange', 'list', '0', '-1')],
      [1, '*2\r\n$3\r\none\r\n*1\r\n:3\r\n'],
    ],
    expected: [
      'SET a 1 = OK',
      'GET nothing = nil',
      'LPUSH a x = WRONGTYPE Operation against a key!',
      'LRANGE list 0 -1 =',
    ],
  },
  'inline commands and big values': {
    steps: [
      [0, 'PING\r\n'],
      [1, '+PONG\r\n'],
      [0, command('GET', 'big')],
      [1, `$100000\r\n${'x'.repeat(100_000)}\r\n`],
    ],
    expected: ['PING = PONG', 'GET big ='],
  },
  'a subscription and what is published': {
    steps: [
      [0, command('SUBSCRIBE', 'a', 'b')],
      [1, '*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n'],
      [1, '*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n'],
    ],
    expected: ['SUBSCRIBE a b =', 'message message a'],
  },
  'RESP3: a map, a push, null, a bulk error': {
    steps: [
      [0, command('HELLO', '3')],
      [1, '%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n'],
      [1, '>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n'],
      [0, command('GET', 'k') + command('FOO')],
      [1, '_\r\n!11\r\nERR unknown\r\n'],
    ],
    expected: ['HELLO 3 =', 'message invalidate k', 'GET k = nil', 'FOO = ERR unknown!'],
  },
  unanswered: { steps: [[0, command('BLPOP', 'q', '0')]], expected: ['BLPOP q 0 = ! no response'] },
};

test.each(Object.entries(conversations))('%s, cut anywhere', (_, { steps, expected }) => {
  for (const events of playCut(redis, steps)) expect(brief(events)).toEqual(expected);
});

test('without detail the same is counted', () => {
  for (const { steps } of Object.values(conversations)) {
    const counted = (detail: boolean) =>
      play(redis, steps, { detail }).map((event) => [
        event.kind,
        event.kind === 'exchange' && [event.route, event.status, event.failed, event.responseBytes],
      ]);
    expect(counted(false)).toEqual(counted(true));
  }
});

test('secrets are masked', () => {
  const steps: Step[] = [
    [
      0,
      command('AUTH', 'user', 'pw1') +
        command('HELLO', '3', 'AUTH', 'u', 'pw2') +
        command('CONFIG', 'SET', 'requirepass', 'pw3') +
        command('ACL', 'SETUSER', 'u', '>pw4'),
    ],
  ];
  const text = JSON.stringify(play(redis, steps));
  expect(text).not.toMatch(/pw\d/);
  expect(JSON.stringify(play(redis, steps, { showSecrets: true }))).toMatch(/pw1.*pw2.*pw3.*pw4/);
});

test('a gap within a value, and one that hides where values begin', () => {
  const within: Step[] = [
    [0, command('GET', 'a')],
    [1, '$1000\r\nabc'],
    [1, { gap: 900 }],
    [1, `${'x'.repeat(97)}\r\n`],
  ];
  expect(brief(play(redis, within))).toEqual(['GET a =  response not captured']);
  const between: Step[] = [
    [0, command('GET', 'a')],
    [1, { gap: 10 }],
    [1, ':1\r\n'],
    [0, command('GET', 'b')],
    [1, '$1\r\n2\r\n'],
  ];
  expect(brief(play(redis, between))).toEqual([
    'event Redis not understood at byte 10 from the server: no reply is known to begin there; resumes at the reply to the next command',
    'GET a =  response not captured',
    'GET b =',
  ]);
});

test.each([
  [command('GET', 'a'), 'client'],
  ['*1\r\n$4\r\nPI', 'more'],
  ['*2\r\n$5\r\nhello\r\n', 'client'],
  ['*2\r\n$5\r\nthing\r\n', 'no'],
  ['+PONG\r\n', 'server'],
  ['+PO', 'more'],
  ['-ERR unknown', 'no'],
  ['-NOAUTH Authentication required.', 'server'],
  ['GET / HTTP/1.1', 'no'],
])('%j looks like %s', (text, likeness) => {
  const bytes = Buffer.from(text, 'latin1');
  expect(redis.probe(bytes, 0, bytes.length)).toBe(likeness);
});

test('any bytes, gaps anywhere: no exception, and bounded', () => {
  const material = Buffer.from(
    `${command('GET', 'a')}$5\r\nhello\r\n*3\r\n:1\r\n%1\r\n+a\r\n_\r\n$-1\r\n*9999\r\n`,
    'latin1',
  );
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = new Random(seed);
    const steps: Step[] = Array.from({ length: 40 }, () => {
      const side = random.below(2) === 0 ? 0 : 1;
      if (random.below(8) === 0) return [side, { gap: random.below(5000) }];
      const from = random.below(material.length);
      const part = Buffer.from(material.subarray(from, from + random.below(60)));
      if (part.length > 0 && random.below(3) === 0) part[random.below(part.length)] = random.below(256);
      return [side, part];
    });
    expect(play(redis, steps).length).toBeLessThan(300);
  }
});

test('commands to which the client wants no reply take nobody else’s', () => {
  const steps: Step[] = [
    [
      0,
      command('CLIENT', 'REPLY', 'OFF') + command('GET', 'a') + command('CLIENT', 'REPLY', 'ON') + command('GET', 'b'),
    ],
    [1, '+OK\r\n$1\r\n2\r\n'],
    [0, command('CLIENT', 'REPLY', 'SKIP') + command('SET', 'a', '1') + command('GET', 'c')],
    [1, '$-1\r\n'],
  ];
  for (const events of playCut(redis, steps)) {
    expect(events.map((event) => event.kind === 'exchange' && [event.label, event.status, event.failed])).toEqual([
      ['CLIENT REPLY OFF', 'noreply', false],
      ['GET a', 'noreply', false],
      ['CLIENT REPLY ON', 'OK', false],
      ['GET b', '', false],
      ['CLIENT REPLY SKIP', 'noreply', false],
      ['SET a 1', 'noreply', false],
      ['GET c', 'nil', false],
    ]);
  }
});
