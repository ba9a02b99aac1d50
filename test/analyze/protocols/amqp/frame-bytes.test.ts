import { test } from 'vitest';
import {
  amqpLikeness,
  frameLength,
  greetingBytes,
  methodBegins,
} from '../../../../src/analyze/protocols/amqp/frame.ts';
import { frame } from '../../../oracle/loss/amqp.ts';
import { byNumber, byReader, expectLines, judged, madeMessages, WORDS, withNumber } from '../../../support/by-byte.ts';

const method = (id: number, number: number) => frame(1, 1, Buffer.from([0, id, 0, number, 0, 0, 0, 0]));

test('lengths of frames, where a method begins, and whose bytes they are', async () => {
  const heartbeat = frame(8, 0, Buffer.alloc(0));
  const messages = [
    ...madeMessages('amqp', 1),
    ['greeting', Buffer.from('AMQP\0\0\x09\x01')],
    ['heartbeat', heartbeat],
    ['method of a client', method(60, 40)],
    ['method of a server', method(60, 60)],
    ['method of both', method(20, 40)],
    ['body, then a method', Buffer.concat([frame(3, 1, Buffer.from('body')), method(60, 40)])],
    ['header, then a heartbeat', Buffer.concat([frame(2, 1, Buffer.alloc(14)), heartbeat])],
  ] as const;
  const lines = byReader(messages, {
    length: [frameLength, 7, 7],
    greeting: [greetingBytes, 1, 8],
    method: [methodBegins, 11, 11],
    likeness: [amqpLikeness, 1, 28],
  });
  lines.push(
    byNumber('length', (length) => judged(frameLength, withNumber(method(60, 40), 3, 4, length))),
    byNumber('length of a body', (length) =>
      judged(frameLength, withNumber(frame(3, 1, Buffer.alloc(9)), 3, 4, length)),
    ),
    byNumber('length of a method that begins', (length) =>
      judged(methodBegins, withNumber(method(60, 40), 3, 4, length)),
    ),
    byNumber('channel', (channel) => judged(frameLength, withNumber(method(60, 40), 1, 2, channel)), WORDS),
  );
  await expectLines('amqp', lines);
});
