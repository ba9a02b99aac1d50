import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

const QUERY = 0x07;
const ERROR = 0x00;
const INVALID = 0x2200;

/** CQL 4: answers repeat the number of their request's stream, which clients soon use again; errors name the answer. */
export const cqlConversation: ConversationMaker = (count, random) => {
  const streams = random.below(3) === 0 ? 32_000 : 10 + random.below(8);
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const stream = index % streams;
    const pad = filler(random.below(random.below(3) === 0 ? 3_000 : 30));
    const statement = `SELECT name FROM shop.r${index}q -- ${pad}`;
    const error = `id${index}${filler(random.below(random.below(3) === 0 ? 3_000 : 1), ' ')}`;
    return {
      request: frame(0x04, stream, QUERY, four(statement.length), Buffer.from(statement), Buffer.of(0, 1, 0)),
      response: frame(
        0x84,
        stream,
        ERROR,
        four(INVALID),
        Buffer.of(error.length >> 8, error.length & 0xff),
        Buffer.from(error),
      ),
      failed: true,
    };
  });
  return {
    protocol: 'cql',
    port: 9042,
    opening: [],
    exchanges,
    // A number is used again when what it was used for before is answered.
    anyOrder: streams === 32_000,
    requestOf: (event) => numberIn(event.label, /\br(\d+)q/),
    answerOf: (event) => numberIn(event.status, /\bid(\d+)/),
  };
};

function frame(version: number, stream: number, opcode: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(version, 0, stream >> 8, stream & 0xff, opcode), four(body.length), body]);
}

function four(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
