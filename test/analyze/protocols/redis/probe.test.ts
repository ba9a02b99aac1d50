import { test } from 'vitest';
import {
  commandAt,
  isMonitorLine,
  isSingleReply,
  redisLikeness,
  sentUnasked,
} from '../../../../src/analyze/protocols/redis/probe.ts';
import { byReader, expectLines, madeMessages } from '../../../support/by-byte.ts';

const TEXTS = [
  ...[
    '+PONG\r\n',
    '+OK\r\n',
    '-NOAUTH Authentication required.\r\n',
    '-ERR max number of clients reached\r\n',
    '-ERR no\r\n',
  ],
  ...['-WRONGTYPE a\r\n', '-DENIED a\r\n', '-LOADING a\r\n', '-MOVED 1 a\r\n', 'PING\r\n', 'PINGS\r\n'],
  ...['*1\r\n$4\r\nPING\r\n', '*2\r\n$3\r\nGET\r\n$1\r\na\r\n', '*1\r\n$7\r\nJSON.XY\r\n', '*1\r\n$7\r\nUNKNOWN\r\n'],
  ...[
    '*0\r\n',
    '*1048576\r\n$3\r\nGET\r\n',
    '*1048577\r\n$3\r\nGET\r\n',
    '*1\r\n$1\r\nA\r\n',
    '*1\r\n$33\r\n',
    '*1\r\n$32\r\n',
  ],
  ...['*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n', '*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$1\r\n5\r\n'],
  ...[
    '*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n',
    '*4\r\n$8\r\npmessage\r\n$1\r\na\r\n',
    '*3\r\n$8\r\nsmessage\r\n',
  ],
  ...[
    '>3\r\n$7\r\nmessage\r\n$1\r\na\r\n',
    '>2\r\n$10\r\ninvalidate\r\n',
    '+1339518083.107412 [0 127.0.0.1:60866] "keys" "*"\r\n',
  ],
  ...[
    '$5\r\nhello\r\n',
    '$-1\r\n',
    '$0\r\n\r\n',
    ':-42\r\n',
    ':x\r\n',
    '_\r\n',
    '_a\r\n',
    '%0\r\n',
    '+a\x01\r\n',
    '-lower case\r\n',
  ],
  ...['b\r\nc\r\n*1\r\n$4\r\nPING\r\n', 'b\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n', `+${'a'.repeat(600)}\r\n`],
];

test('what begins a connection, where a command begins, what is sent unasked, and what is one reply', async () => {
  const texts = TEXTS.map((text) => [JSON.stringify(text.slice(0, 40)), Buffer.from(text)] as const);
  const lines = byReader([...madeMessages('redis', 1), ...texts], {
    likeness: [redisLikeness, 1, 18],
    'command at': [(bytes, start, end) => commandAt(bytes, start, end), 1, 4],
    unasked: [sentUnasked, 1, 20],
    'single reply': [isSingleReply, 1, 12],
  });
  for (const text of [
    '1339518083.107412 [0 127.0.0.1:60866] "keys" "*"',
    '133951808.107412 [0 a] "',
    '1339518083.107412 [a a] "',
  ])
    lines.push(`line of MONITOR, ${text}: ${isMonitorLine(text)}`);
  for (const length of [0, 1, 128, 129])
    lines.push(`client of ${length}: ${isMonitorLine(`1339518083.107412 [0 ${'a'.repeat(length)}] "x"`)}`);
  await expectLines('redis', lines);
});
