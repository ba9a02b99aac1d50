import type { Random } from '../../support/random.ts';
import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

const METHOD = 1;
const HEADER = 2;
const BODY = 3;
const CHANNELS = 2;
/** Bytes of queue.declare-ok with a queue's name of no letters: frame, method, length, two counts. */
const DECLARE_OK_BYTES = 21;
const NAME_BYTES = 10;

/** AMQP 0-9-1: the length of the queue's name, which answers repeat, tells them apart; between them messages go both ways. */
export const amqpConversation: ConversationMaker = (count, random) => {
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const channel = 1 + random.below(CHANNELS);
    const queue = `q${index}.`.padEnd(NAME_BYTES + index, 'x');
    return {
      request: method(channel, 50, 10, Buffer.of(0, 0), shortText(queue), Buffer.of(2, 0, 0, 0, 0)),
      before: random.below(3) === 0 ? message(channel, 40, shortText('shop', 'orders'), random) : Buffer.alloc(0),
      response: method(channel, 50, 11, shortText(queue), Buffer.alloc(8)),
      after: random.below(3) === 0 ? delivery(channel, random) : Buffer.alloc(0),
      failed: false,
    };
  });
  return {
    protocol: 'amqp',
    port: 5672,
    opening: OPENING,
    exchanges,
    anyOrder: false,
    requestOf: (event) => numberIn(event.label, /\bq(\d+)\./),
    // Without all its bytes an answer is none in particular.
    answerOf: ({ status, responseBytes, incomplete }) =>
      status === 'declare-ok' && incomplete === undefined ? responseBytes - DECLARE_OK_BYTES - NAME_BYTES : undefined,
  };
};

function delivery(channel: number, random: Random): Buffer {
  const tag = Buffer.alloc(9);
  tag[7] = random.below(200);
  return message(channel, 60, Buffer.concat([shortText('consumer'), tag, shortText('shop', 'orders')]), random);
}

/** A message's method, content header and body. @param id 40 publish, 60 deliver */
function message(channel: number, id: number, rest: Buffer, random: Random): Buffer {
  const body = Buffer.from(filler(1 + random.below(2_000), 'm'));
  const header = Buffer.alloc(14);
  header.writeUInt16BE(60, 0);
  header.writeUInt32BE(body.length, 8);
  const own = id === 40 ? [Buffer.of(0, 0), rest, Buffer.of(0)] : [rest];
  return Buffer.concat([method(channel, 60, id, ...own), frame(HEADER, channel, header), frame(BODY, channel, body)]);
}

function method(channel: number, classId: number, id: number, ...rest: Buffer[]): Buffer {
  return frame(METHOD, channel, Buffer.concat([Buffer.of(0, classId, 0, id), ...rest]));
}

/** A frame (AMQP 0-9-1, section 4.2.3). */
export function frame(type: number, channel: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(7);
  head[0] = type;
  head.writeUInt16BE(channel, 1);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.of(0xce)]);
}

function shortText(...texts: string[]): Buffer {
  return Buffer.concat(texts.map((text) => Buffer.concat([Buffer.of(text.length), Buffer.from(text)])));
}

function longText(text: string): Buffer {
  return Buffer.concat([Buffer.of(0, 0, 0, text.length), Buffer.from(text)]);
}

const TUNING = Buffer.of(0x07, 0xff, 0, 2, 0, 0, 0, 60);

const OPENING: readonly (readonly [0 | 1, Buffer])[] = [
  [0, Buffer.from('AMQP\0\0\x09\x01')],
  [1, method(0, 10, 10, Buffer.of(0, 9), Buffer.alloc(4), longText('PLAIN'), longText('en_US'))],
  [0, method(0, 10, 11, Buffer.alloc(4), shortText('PLAIN'), longText('\0shop\0shop'), shortText('en_US'))],
  [1, method(0, 10, 30, TUNING)],
  [0, Buffer.concat([method(0, 10, 31, TUNING), method(0, 10, 40, shortText('/', ''), Buffer.of(0))])],
  [1, method(0, 10, 41, Buffer.of(0))],
  ...Array.from({ length: CHANNELS }, (_, index) => index + 1).flatMap((channel): [0 | 1, Buffer][] => [
    [0, method(channel, 20, 10, Buffer.of(0))],
    [1, method(channel, 20, 11, Buffer.alloc(4))],
  ]),
];
