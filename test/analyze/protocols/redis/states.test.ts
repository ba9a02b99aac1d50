import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { redis } from '../../../../src/analyze/protocols/redis/index.ts';
import { brief, briefOfFile } from '../brief.ts';
import { type PlayOptions, play, playCut, type Step } from '../play.ts';

const command = (...args: string[]) =>
  `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`;
const confirmation = (kind: string, channel: string | undefined, count: number, type = '*') =>
  `${type}3\r\n$${kind.length}\r\n${kind}\r\n${channel === undefined ? '$-1' : `$${channel.length}\r\n${channel}`}\r\n:${count}\r\n`;
const published = (channel: string) => `*3\r\n$7\r\nmessage\r\n$${channel.length}\r\n${channel}\r\n$2\r\nhi\r\n`;
const MARK = 'f'.repeat(10) + '0123456789'.repeat(3);

/** Every cutting gives the same. */
function lines(steps: readonly Step[], options: PlayOptions = {}): string[] {
  const [whole, ...cut] = playCut(redis, steps, options, 6);
  for (const events of cut) expect(events).toEqual(whole);
  return brief(whole ?? []);
}

describe('captures', () => {
  test.each([
    [
      'redis-unsubscribe-all',
      [
        'SUBSCRIBE a b c = ',
        'message message a from server',
        'UNSUBSCRIBE = ',
        'GET k = WRONGTYPE x!',
        'INCR n = ',
        'PING = PONG',
      ],
    ],
    ['partial-answer-redis', ['LRANGE big 0 -1 =  [capture ended]']],
  ])('%s', async (name, expected) => {
    expect(await briefOfFile(join(import.meta.dirname, 'captures', `${name}.pcap`))).toEqual(expected);
  });

  test('replication: neither side answers, and nothing fails', async () => {
    const said = await briefOfFile(join(import.meta.dirname, 'captures/redis-replication.pcap'));
    expect(said.filter((line) => /!|\[/.test(line))).toEqual([]);
    expect(said.filter((line) => line.endsWith('from server'))).toEqual([
      'message snapshot (RDB) from server',
      'message SELECT 0 from server',
      'message SET k1 v1 from server',
      'message SET k2 v2 from server',
      'message PING from server',
      'message PING from server',
    ]);
    expect(said.filter((line) => line.startsWith('message REPLCONF ACK') && line.endsWith('from client'))).toHaveLength(
      18,
    );
    expect(said.filter((line) => line.startsWith('SET'))).toEqual(['SET k1 v1 = OK', 'SET k2 v2 = OK']);
  });

  test('a lost request shifts nothing', async () => {
    const said = await briefOfFile(join(import.meta.dirname, 'captures/loss-request-redis.pcap'));
    for (const line of said) {
      const [, key, id] = /k(\d) = ERR id(\d)/.exec(line) ?? [];
      expect(key).toBe(id);
    }
    expect(said).toContain('(request not seen) = ERR id2! [request not seen]');
    for (const key of [1, 3, 4, 5, 6]) expect(said.join('\n')).toContain(`GET k${key} = ERR id${key}!`);
  });
});

describe('subscriptions', () => {
  test('without arguments there are as many confirmations as subscriptions of the kind', () => {
    expect(
      lines([
        [0, command('SUBSCRIBE', 'a', 'b') + command('PSUBSCRIBE', 'x*')],
        [
          1,
          confirmation('subscribe', 'a', 1) + confirmation('subscribe', 'b', 2) + confirmation('psubscribe', 'x*', 3),
        ],
        [0, command('PUNSUBSCRIBE') + command('UNSUBSCRIBE') + command('UNSUBSCRIBE') + command('GET', 'k')],
        [1, confirmation('punsubscribe', 'x*', 2) + published('a') + confirmation('unsubscribe', 'b', 1)],
        [1, `${confirmation('unsubscribe', 'a', 0)}${confirmation('unsubscribe', undefined, 0)}$1\r\nv\r\n`],
      ]),
    ).toEqual([
      'SUBSCRIBE a b = ',
      'PSUBSCRIBE x* = ',
      'PUNSUBSCRIBE = ',
      'message message a from server',
      'UNSUBSCRIBE = ',
      'UNSUBSCRIBE = ',
      'GET k = ',
    ]);
  });

  test('of shard channels there are as many as of those, whatever else is subscribed', () => {
    expect(
      lines([
        [0, command('SUBSCRIBE', 'a') + command('SSUBSCRIBE', 's', 't')],
        [
          1,
          confirmation('subscribe', 'a', 1) + confirmation('ssubscribe', 's', 1) + confirmation('ssubscribe', 't', 2),
        ],
        [0, command('SUNSUBSCRIBE') + command('PING')],
        [1, `${confirmation('sunsubscribe', 's', 1)}${confirmation('sunsubscribe', 't', 0)}+PONG\r\n`],
      ]),
    ).toEqual(['SUBSCRIBE a = ', 'SSUBSCRIBE s t = ', 'SUNSUBSCRIBE = ', 'PING = PONG']);
  });

  test('RESP3: confirmations and messages are pushes, and replies stand between them', () => {
    expect(
      lines([
        [0, command('SSUBSCRIBE', 's') + command('GET', 'k')],
        [1, `${confirmation('ssubscribe', 's', 1, '>')}>3\r\n$8\r\nsmessage\r\n$1\r\ns\r\n$1\r\nm\r\n+v\r\n`],
        [0, command('SUNSUBSCRIBE') + command('PING')],
        [1, `${confirmation('sunsubscribe', 's', 0, '>')}+PONG\r\n`],
      ]),
    ).toEqual(['SSUBSCRIBE s = ', 'message smessage s from server', 'GET k = v', 'SUNSUBSCRIBE = ', 'PING = PONG']);
  });

  test('where their number is not known, the count in the last one ends them, or another reply', () => {
    const holed = (...rest: Step[]): Step[] => [
      [0, command('SUBSCRIBE', 'a', 'b')],
      [1, confirmation('subscribe', 'a', 1) + confirmation('subscribe', 'b', 2)],
      [0, command('PSUBSCRIBE', 'x*')],
      [1, confirmation('psubscribe', 'x*', 3)],
      [1, { gap: 40 }],
      ...rest,
    ];
    const before = ['SUBSCRIBE a b = ', 'PSUBSCRIBE x* = '];
    expect(
      lines(
        holed(
          [0, command('UNSUBSCRIBE')],
          [1, confirmation('unsubscribe', 'a', 2) + confirmation('unsubscribe', 'b', 1)],
          [0, command('PING')],
          [1, '*2\r\n$4\r\npong\r\n$0\r\n\r\n'],
          [0, command('PUNSUBSCRIBE')],
          [1, confirmation('punsubscribe', 'x*', 0)],
          [0, command('GET', 'k')],
          [1, '+v\r\n'],
        ),
      ),
    ).toEqual([...before, 'UNSUBSCRIBE = ', 'PING = ', 'PUNSUBSCRIBE = ', 'GET k = v']);
  });

  test('a refused subscription is one error; what looks like a message is a reply where nothing is subscribed', () => {
    expect(
      lines([
        [0, command('SUBSCRIBE', 'a', 'b')],
        [1, '-NOPERM no permission\r\n'],
        [0, command('LRANGE', 'l', '0', '-1') + command('GET', 'k')],
        [1, `${published('a')}+v\r\n`],
      ]),
    ).toEqual(['SUBSCRIBE a b = NOPERM no permission!', 'LRANGE l 0 -1 = ', 'GET k = v']);
  });

  test('the server ends a subscription by itself', () => {
    expect(
      lines([
        [0, command('SSUBSCRIBE', 's')],
        [1, confirmation('ssubscribe', 's', 1)],
        [1, confirmation('sunsubscribe', 's', 0)],
        [0, command('GET', 'k')],
        [1, '+v\r\n'],
      ]),
    ).toEqual(['SSUBSCRIBE s = ', 'message sunsubscribe s from server', 'GET k = v']);
  });
});

describe('RESP3 attributes', () => {
  test('stand before a reply, or an item, and are no reply', () => {
    expect(
      lines([
        [0, command('GET', 'a') + command('LRANGE', 'l', '0', '-1') + command('GET', 'b')],
        [1, '|1\r\n+key-popularity\r\n%1\r\n$1\r\na\r\n,0.5\r\n+one\r\n'],
        [1, '*3\r\n:1\r\n|1\r\n+ttl\r\n:3600\r\n:2\r\n:3\r\n+two\r\n'],
      ]),
    ).toEqual(['GET a = one', 'LRANGE l 0 -1 = ', 'GET b = two']);
  });
});

describe('MONITOR', () => {
  const line = (text: string) => `+1339518083.107412 [0 127.0.0.1:60866] ${text}\r\n`;

  test('its lines are messages, and other commands are answered between them', () => {
    expect(
      lines([
        [0, command('MONITOR')],
        [1, `+OK\r\n${line('"keys" "*"')}`],
        [0, command('PING')],
        [1, `${line('"get" "x"')}+PONG\r\n`],
      ]),
    ).toEqual([
      'MONITOR = OK',
      'message 1339518083.107412 [0 127.0.0.1:60866] "keys" "*" from server',
      'message 1339518083.107412 [0 127.0.0.1:60866] "get" "x" from server',
      'PING = PONG',
    ]);
  });

  test('is recognised in the middle', () => {
    const bytes = Buffer.from(line('"keys" "*"'));
    expect(redis.probe(bytes, 0, bytes.length)).toBe('server');
    expect(brief(play(redis, [[1, bytes]], { midstream: true }))).toHaveLength(1);
  });
});

describe('replication', () => {
  const stream: Step[] = [
    [1, command('SELECT', '0') + command('SET', 'k', 'v')],
    [0, command('REPLCONF', 'ACK', '52')],
    [1, `\n${command('REPLCONF', 'GETACK', '*')}`],
    [0, command('REPLCONF', 'ACK', '89')],
  ];
  const streamed = [
    'message SELECT 0 from server',
    'message SET k v from server',
    'message REPLCONF ACK 52 from client',
    'message REPLCONF GETACK * from server',
    'message REPLCONF ACK 89 from client',
  ];
  const snapshot = 'REDIS0011\r\n*1\r\n$4\r\nPING\r\n\xff12345678';

  test.each<[string, Step[], string[]]>([
    [
      'a full resynchronisation with a snapshot of known length',
      [
        [0, command('PSYNC', '?', '-1')],
        [1, '\n\n+FULLRESYNC 2401d69efdcc7b8acba72 0\r\n\n'],
        [1, `$${snapshot.length}\r\n${snapshot}`],
        ...stream,
      ],
      ['PSYNC ? -1 = FULLRESYNC 2401d69efdcc7b8acba72', 'message snapshot (RDB) from server', ...streamed],
    ],
    [
      'a snapshot that a mark ends',
      [
        [0, command('PSYNC', '?', '-1')],
        [1, '+FULLRESYNC 2401 0\r\n'],
        [1, `$EOF:${MARK}\r\n${snapshot}${MARK.slice(0, 12)}${MARK}`],
        ...stream,
      ],
      ['PSYNC ? -1 = FULLRESYNC 2401 0', 'message snapshot (RDB) from server', ...streamed],
    ],
    [
      'a partial resynchronisation',
      [[0, command('PSYNC', '2401', '53')], [1, '+CONTINUE\r\n'], ...stream],
      ['PSYNC 2401 53 = CONTINUE', ...streamed],
    ],
    [
      'SYNC of old replicas',
      [[0, 'SYNC\r\n'], [1, `\n$${snapshot.length}\r\n${snapshot}`], ...stream],
      ['SYNC = ', ...streamed],
    ],
    [
      'a master that refuses',
      [
        [0, command('PSYNC', '?', '-1')],
        [1, '-NOMASTERLINK Can’t SYNC\r\n'],
        [0, command('SYNC')],
        [1, '-LOADING Redis is loading\r\n'],
        [0, command('PING')],
        [1, '+PONG\r\n'],
      ],
      ['PSYNC ? -1 = NOMASTERLINK Can\u0019t SYNC!', 'SYNC = LOADING Redis is loading!', 'PING = PONG'],
    ],
  ])('%s', (_, steps, expected) => {
    expect(lines(steps)).toEqual(expected.map((line) => line.replaceAll('\u0019', ' ')));
  });

  test.each([0, 1] as const)('begun in the middle, with the replica as side %i', (replica) => {
    const master = replica === 0 ? 1 : 0;
    const said = brief(
      play(
        redis,
        [
          [replica, command('REPLCONF', 'ACK', '52')],
          [master, command('SET', 'k', 'v')],
          [master, command('PING')],
          [replica, command('REPLCONF', 'ACK', '89')],
        ],
        { midstream: true },
      ),
    );
    const [who, other] = replica === 0 ? ['client', 'server'] : ['server', 'client'];
    expect(said.slice(-3)).toEqual([
      `message SET k v from ${other}`,
      `message PING from ${other}`,
      `message REPLCONF ACK 89 from ${who}`,
    ]);
    expect(said.filter((line) => line.includes('!'))).toEqual([]);
  });

  test('a hole in the stream costs what it hides', () => {
    expect(
      brief(
        play(redis, [
          [0, command('PSYNC', '2401', '53')],
          [1, '+CONTINUE\r\n'],
          [1, command('SET', 'a', '1')],
          [1, { gap: 40 }],
          [1, `est of it\r\n${command('SET', 'b', '2')}`],
          [0, { gap: 40 }],
          [0, command('REPLCONF', 'ACK', '9')],
        ]),
      ).filter((line) => !line.startsWith('PROTOCOL_LOST')),
    ).toEqual([
      'PSYNC 2401 53 = CONTINUE',
      'message SET a 1 from server',
      'message SET b 2 from server',
      'message REPLCONF ACK 9 from client',
    ]);
  });
});

describe('beginnings and ends', () => {
  test('replies to what was sent before the capture are stated by themselves', () => {
    expect(
      brief(
        play(
          redis,
          [
            [1, '+OK\r\n'],
            [1, '-ERR no\r\n'],
            [0, command('GET', 'a')],
            [1, '$1\r\nv\r\n'],
            [0, command('GET', 'b')],
            [1, '+w\r\n'],
          ],
          { midstream: true },
        ),
      ),
    ).toEqual([
      '(request not seen) = OK [request not seen]',
      '(request not seen) = ERR no! [request not seen]',
      'GET a =  [unknown]',
      'GET b = w [unknown]',
    ]);
  });

  test('items of an array that began before the capture are no replies', () => {
    const steps: Step[] = [
      [1, ':2\r\n:3\r\n'],
      [0, command('GET', 'a')],
      [1, '+v\r\n'],
    ];
    const replies = brief(play(redis, steps, { midstream: true })).filter((line) => !line.startsWith('PROTOCOL_LOST'));
    expect(replies).toEqual(['GET a = v [unknown]']);
  });

  test('the rest of a reply from before the capture is skipped, which is said', () => {
    const events = play(
      redis,
      [
        [1, 'rest of a value\r\n$3\r\nabc\r\n'],
        [0, command('GET', 'a')],
        [1, '+v\r\n'],
        [0, command('GET', 'b')],
        [1, '+w\r\n'],
      ],
      { midstream: true },
    );
    expect(events[0]).toMatchObject({ code: 'PROTOCOL_LOST', position: 0, from: 1 });
    expect(brief(events).at(-1)).toMatch(/^GET b = w/);
  });

  test.each([
    ['closed', 'closed early', true],
    ['reset', 'reset', true],
    ['capture ended', 'capture ended', false],
    ['expired', 'unknown', false],
    ['evicted', 'unknown', false],
  ] as const)('a reply of which a part came, %s', (end, incomplete, failed) => {
    const [event] = play(
      redis,
      [
        [0, command('GET', 'a')],
        [1, '$1000\r\nabc'],
      ],
      { end, endBy: 1 },
    );
    expect(event).toMatchObject({
      label: 'GET a',
      incomplete,
      failed,
      responseBytes: 10,
      declaredBytes: 1009,
      responseTime: 1e6,
      responseEnd: undefined,
      endedBy: end === 'expired' || end === 'evicted' ? expect.anything() : 1,
    });
  });

  test('a command that ends the connection has not failed', () => {
    expect(lines([[0, command('SHUTDOWN')]])).toEqual(['SHUTDOWN = closed']);
    expect(lines([[0, command('SHUTDOWN')]], { end: 'reset' })).toEqual(['SHUTDOWN = ! [reset]']);
  });

  test('an error before any command is the server’s refusal', () => {
    const refusal = '-ERR max number of clients reached\r\n';
    expect(redis.probe(Buffer.from(refusal), 0, refusal.length)).toBe('server');
    expect(lines([[1, refusal]])).toEqual(['REDIS_REFUSED ERR max number of clients reached']);
    expect(
      lines([
        [0, command('PING')],
        [1, refusal, 0],
      ]),
    ).toEqual(['REDIS_REFUSED ERR max number of clients reached', 'PING = ! [no response]']);
  });

  test('bytes that are no RESP: said once, and taken up again', () => {
    expect(
      brief(
        play(redis, [
          [0, command('GET', 'a')],
          [1, 'what\r\n'],
          [1, 'ever\r\n'],
          [0, command('GET', 'b')],
          [1, '+w\r\n'],
        ]),
      ),
    ).toEqual([
      'PROTOCOL_LOST Redis not understood at byte 0 from the server: no reply is known to begin there; resumes at the reply to the next command',
      'GET a =  [response not captured]',
      'GET b = w',
    ]);
  });

  test('times that are not known give no latency', () => {
    const [event] = play(
      redis,
      [
        [0, command('GET', 'a')],
        [1, '+v\r\n'],
      ],
      { timeless: [1] },
    );
    expect(event).toMatchObject({ status: 'v', responseTime: undefined, responseEnd: undefined });
  });

  test('RESET ends subscriptions and CLIENT REPLY OFF', () => {
    expect(
      lines(
        [
          [0, command('SUBSCRIBE', 'a')],
          [1, confirmation('subscribe', 'a', 1)],
          [0, command('CLIENT', 'REPLY', 'OFF') + command('RESET') + command('LRANGE', 'l', '0', '-1')],
          [1, `+RESET\r\n${published('a')}`],
        ],
        { detail: false },
      ),
    ).toEqual(['SUBSCRIBE = ', 'CLIENT = noreply', 'RESET = RESET', 'LRANGE = ']);
  });
});
