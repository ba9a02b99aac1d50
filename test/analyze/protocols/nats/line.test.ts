import { expect, test } from 'vitest';
import { LINE_SEEK, natsBegins } from '../../../../src/analyze/protocols/nats/line.ts';
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
