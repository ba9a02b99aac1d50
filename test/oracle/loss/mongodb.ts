import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

const OP_MSG = 2013;

/** MongoDB's OP_MSG: answers name their request by number, errors name the answer. */
export const mongodbConversation: ConversationMaker = (count, random) => {
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const asked = document(['s', 'find', `c${index}`], ['s', '$db', 'shop'], ['s', 'pad', filler(random.below(2_000))]);
    const answered = document(['d', 'ok', 0], ['s', 'errmsg', `id${index}`], ['i', 'code', index + 1]);
    return {
      request: opMsg(100 + index, 0, asked),
      response: opMsg(9_000 + index, 100 + index, answered),
      failed: true,
    };
  });
  return {
    protocol: 'mongodb',
    port: 27017,
    opening: [],
    exchanges,
    anyOrder: false,
    requestOf: (event) => numberIn(event.label, /\bc(\d+)\b/),
    answerOf: (event) => numberIn(`${event.status} ${JSON.stringify(event.fields)}`, /\bid(\d+)\b/),
  };
};

type Element = readonly ['s', string, string] | readonly ['d' | 'i', string, number];

function document(...elements: Element[]): Buffer {
  const parts = elements.map(([type, name, value]) => {
    const key = Buffer.from(`${name}\0`);
    if (type === 's') {
      const length = Buffer.alloc(4);
      length.writeInt32LE(value.length + 1);
      return Buffer.concat([Buffer.of(2), key, length, Buffer.from(`${value}\0`)]);
    }
    const number = Buffer.alloc(type === 'd' ? 8 : 4);
    if (type === 'd') number.writeDoubleLE(value);
    else number.writeInt32LE(value);
    return Buffer.concat([Buffer.of(type === 'd' ? 1 : 16), key, number]);
  });
  const body = Buffer.concat([...parts, Buffer.of(0)]);
  const length = Buffer.alloc(4);
  length.writeInt32LE(body.length + 4);
  return Buffer.concat([length, body]);
}

function opMsg(id: number, responseTo: number, body: Buffer): Buffer {
  const head = Buffer.alloc(21);
  head.writeInt32LE(head.length + body.length, 0);
  head.writeInt32LE(id, 4);
  head.writeInt32LE(responseTo, 8);
  head.writeInt32LE(OP_MSG, 12);
  return Buffer.concat([head, body]);
}
