import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

const BATCH = 1;
const RESPONSE = 4;
const PACKET = 4096;

/** TDS: a response has no number; the error in it names it. Long messages take several packets. */
export const tdsConversation: ConversationMaker = (count, random) => {
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const asked = `SELECT name FROM shop.r${index}q -- ${filler(random.below(random.below(3) === 0 ? 3_000 : 30))}`;
    const told = `id${index} ${filler(random.below(random.below(3) === 0 ? 3_000 : 30))}`;
    const error = Buffer.concat([four(208), Buffer.of(1, 16), two(told.length), wide(told), Buffer.alloc(6)]);
    const done = Buffer.concat([Buffer.of(0xfd), two(2), two(0xc1), Buffer.alloc(8)]);
    return {
      request: packets(BATCH, Buffer.concat([HEADERS, wide(asked)])),
      response: packets(RESPONSE, Buffer.concat([Buffer.of(0xaa), two(error.length), error, done])),
      failed: true,
    };
  });
  return {
    protocol: 'tds',
    port: 1433,
    opening: [],
    exchanges,
    anyOrder: false,
    requestOf: (event) => numberIn(event.label, /\br(\d+)q/),
    answerOf: (event) => numberIn(event.status, /\bid(\d+)/),
  };
};

function packets(type: number, message: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0, number = 1; at < message.length; at += PACKET - 8, number += 1) {
    const payload = message.subarray(at, at + PACKET - 8);
    const length = payload.length + 8;
    const isLast = at + PACKET - 8 >= message.length;
    parts.push(Buffer.of(type, isLast ? 1 : 0, length >> 8, length & 0xff, 0, 0, number & 0xff, 0), payload);
  }
  return Buffer.concat(parts);
}

function two(value: number): Buffer {
  return Buffer.of(value & 0xff, value >> 8);
}

function four(value: number): Buffer {
  return Buffer.concat([two(value), two(0)]);
}

function wide(text: string): Buffer {
  return Buffer.from(text, 'utf16le');
}

/** The length of all headers, and one of a transaction. */
const HEADERS = Buffer.concat([four(22), four(18), two(2), Buffer.alloc(8), four(1)]);
