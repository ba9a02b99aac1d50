import { describe, expect, test } from 'vitest';
import {
  isCluster,
  LINE_SEEK,
  natsBegins,
  natsLength,
  natsLikeness,
  readLine,
} from '../../../../src/analyze/protocols/nats/line.ts';
import { SIDE } from '../../../../src/analyze/record/event.ts';

const begins = (side: 0 | 1, text: string) => natsBegins(side, Buffer.from(text, 'latin1'), 0, text.length);

test.each([
  [SIDE.client, 'PUB a.b 5\r\nhello', true],
  [SIDE.client, 'MSG a.b 1 5\r\n', false],
  [SIDE.server, 'MSG a.b 1 5\r\n', true],
  [SIDE.server, 'PUB a.b 5\r\n', false],
  [SIDE.client, 'PING\r\n', true],
  [SIDE.server, 'PONG\r\n', true],
  [SIDE.client, 'GET / HTTP/1.1\r\n', false],
  [SIDE.client, 'PUB', undefined],
])('side %i, %j: %s', (side, text, expected) => {
  expect(begins(side, text)).toBe(expected);
});

test('a line is looked for as far as LINE_SEEK', () => {
  const line = (length: number) => `PUB ${'a'.repeat(length - 4)}`;
  expect(begins(SIDE.client, line(LINE_SEEK - 1))).toBeUndefined();
  expect(begins(SIDE.client, line(LINE_SEEK))).toBe(false);
  expect(begins(SIDE.client, line(LINE_SEEK + 1))).toBe(false);
});

/**
 * Operations (docs.nats.io, "Client Protocol"; server/parser.go for those between servers): who sends them, their line, the bytes that
 * follow it, and its words.
 */
const OPERATIONS: readonly (readonly ['client' | 'server' | 'both', string, number, readonly string[]])[] = [
  ['client', 'PUB a.b 5', 7, ['a.b', '5']],
  ['client', 'PUB a.b reply.to 12', 14, ['a.b', 'reply.to', '12']],
  ['client', 'HPUB a 10 15', 17, ['a', '10', '15']],
  ['client', 'SUB a.* 7', 0, ['a.*', '7']],
  ['client', 'SUB\ta.>\tqueue  7', 0, ['a.>', 'queue', '7']],
  ['client', 'UNSUB 7 3', 0, ['7', '3']],
  ['client', 'CONNECT {"verbose":false, "a":1}', 0, ['{"verbose":false, "a":1}']],
  ['server', 'MSG a.b 7 0', 2, ['a.b', '7', '0']],
  ['server', 'MSG a.b 7 reply 5', 7, ['a.b', '7', 'reply', '5']],
  ['server', 'HMSG a 7 10 25', 27, ['a', '7', '10', '25']],
  ['server', '+OK', 0, []],
  ['server', "-ERR 'Unknown Protocol Operation'", 0, ["'Unknown Protocol Operation'"]],
  ['both', 'INFO {"server_id":"x"}', 0, ['{"server_id":"x"}']],
  ['both', 'PING', 0, []],
  ['both', 'PONG', 0, []],
  ['both', 'RS+ $G a.b', 0, ['$G', 'a.b']],
  ['both', 'RS- $G a.b', 0, ['$G', 'a.b']],
  ['both', 'RMSG $G a.b 5', 0, ['$G', 'a.b', '5']],
  ['both', 'LS+ a', 0, ['a']],
  ['both', 'LS- a', 0, ['a']],
  ['both', 'LMSG a 5', 0, ['a', '5']],
  ['both', 'A+ $G', 0, ['$G']],
  ['both', 'A- $G', 0, ['$G']],
];
/** Within other bytes. */
const lengthOf = (side: 0 | 1, text: string, end = text.length) =>
  natsLength(side, Buffer.from(`\n.${text.slice(0, end)}\r\n9\r\n`, 'latin1'), 2, 2 + end);

test.each(OPERATIONS)('of the %s: %j and %i bytes', (who, line, payload, words) => {
  const text = `${line}\r\n`;
  for (const [side, name] of [
    [SIDE.client, 'client'],
    [SIDE.server, 'server'],
  ] as const) {
    const isSent = who === 'both' || who === name;
    expect(lengthOf(side, text)).toBe(isSent ? text.length + payload : 0);
    for (let end = 1; end < text.length && isSent; end += 1)
      expect(lengthOf(side, text, end), `${end}`).toBeUndefined();
  }
  const [operation = ''] = line.split(/[\s]/);
  const bytes = Buffer.from(`\n.${text}more\n`, 'latin1');
  expect(readLine(bytes, 2, bytes.length)).toEqual({ operation, words, bytes: text.length });
  expect(readLine(bytes, 2, 1 + text.length)).toBeUndefined();
  expect(isCluster(operation)).toBe(/^(?:R|L|A[+-])/.test(line));
});

test.each([
  ['PUB a 67108864\r\n', 67_108_864 + 18],
  ['PUB a 67108865\r\n', 0],
  ['PUB a 9999999999\r\n', 0],
  ['PUB a 00000000005\r\n', 0],
  ['PUB a \r\n', 0],
  ['PUB a x5\r\n', 0],
  ['PUB a :\r\n', 0],
  ['PUB a /\r\n', 0],
  ['PUB a\t5\r\n', 16],
  ['PUB a 5\n', 0],
  ['PUBLISH a 5\r\n', 0],
  ['pub a 5\r\n', 0],
  ['PING\n', 0],
  [`INFO {${'a'.repeat(32 * 1024 - 8)}\r\n`, 32 * 1024],
  [`INFO {${'a'.repeat(32 * 1024 - 7)}\r\n`, undefined],
  [`INFO {${'a'.repeat(300)}\r\n`, 308],
])('%j: the length of the whole is %s', (text, length) => {
  expect(lengthOf(SIDE.client, text)).toBe(length);
});

describe('what a connection begins with', () => {
  const like = (text: string) => {
    const bytes = Buffer.from(`.${text}`, 'latin1');
    return natsLikeness(bytes, 1, bytes.length);
  };
  test.each([
    ['CONNECT {"verbose":false}\r\n', 'client'],
    ['CONNECT { "verbose"', 'client'],
    ['CONNECT {', 'more'],
    ['CONNECT x', 'no'],
    ['CONNECT shop:443 HTTP/1.1\r\n', 'no'],
    ['INFO {"server_id":"a"}\r\n', 'server'],
    ['INFO {"a":1,"max_payload" :5', 'server'],
    ['INFO {"proto":1}', 'server'],
    ['INFO {"other":1', 'more'],
    ['INFO {"other":1}\r\n', 'no'],
    [`INFO {"other":1${'a'.repeat(LINE_SEEK)}`, 'no'],
    ['INFO {', 'more'],
    ['INFO x', 'no'],
    ['PUB a 5\r\nhello\r\n', 'client'],
    ['PUB a 5\r\nhel', 'client'],
    ['PUB a 5\r\nhello..', 'no'],
    ['PUB a 5\r\nhello\r', 'client'],
    ['HPUB a 3 5\r\nhello\r\n', 'client'],
    ['SUB a 7\r\n', 'client'],
    ['SUB a queue 7\r\n', 'client'],
    ['UNSUB 7\r\n', 'client'],
    ['MSG a 7 5\r\nhello\r\n', 'server'],
    ['HMSG a 7 3 5\r\nhello\r\n', 'server'],
    ['MSG a 7 5\r\nhelloXY', 'no'],
    ["-ERR 'Authorization Violation'\r\n", 'server'],
    ["-ERR 'whatever'\r\n", 'no'],
    ['MSG user@host name 104\r\n', 'no'],
    ['PING\r\n', 'more'],
    ['PING\r\nPONG\r\n', 'more'],
    ['PING\r\nSUB a 7\r\n', 'client'],
    ['PONG\r\nMSG a 7 0\r\n\r\n', 'server'],
    ['PING\r\nx', 'no'],
    ['PI', 'more'],
    ['PUBX', 'no'],
    ['PUB ', 'more'],
    ['PUB a', 'more'],
    [`PUB ${'a'.repeat(LINE_SEEK)}`, 'no'],
    ['PING\r\n'.repeat(200), 'no'],
    ['GET / HTTP/1.1\r\n', 'no'],
    ['BREW', 'no'],
    ['VERSION', 'no'],
    ['', 'more'],
  ])('%j: %s', (text, likeness) => {
    expect(like(text)).toBe(likeness);
  });
});
