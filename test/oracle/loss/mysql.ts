import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

const FIRST_ERROR = 2_000;
/** CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | CLIENT_TRANSACTIONS. */
const CAPABILITIES = 0x0200 | 0x8000 | 0x2000;

/** MySQL's COM_QUERY: errors whose number names the answer. */
export const mysqlConversation: ConversationMaker = (count, random) => {
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const errno = Buffer.alloc(2);
    errno.writeUInt16LE(FIRST_ERROR + index);
    const words = `#HY000id${index} ${filler(random.below(400))}`;
    const query = `select ${index} /* ${filler(random.below(random.below(4) === 0 ? 4_000 : 60))} */`;
    return {
      request: packet(0, Buffer.concat([Buffer.of(3), Buffer.from(query)])),
      response: packet(1, Buffer.concat([Buffer.of(0xff), errno, Buffer.from(words)])),
      failed: true,
    };
  });
  return {
    protocol: 'mysql',
    port: 3306,
    opening: [
      [1, greeting()],
      [0, login()],
      [1, packet(2, Buffer.of(0, 0, 0, 2, 0, 0, 0))],
    ],
    exchanges,
    anyOrder: false,
    requestOf: (event) => numberIn(event.label, /\bselect (\d+) /),
    answerOf: (event) => {
      const errno = numberIn(event.status, /\b(2\d{3})\b/);
      return errno === undefined ? undefined : errno - FIRST_ERROR;
    },
  };
};

function packet(sequence: number, body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(body.length, 0, 3);
  head[3] = sequence;
  return Buffer.concat([head, body]);
}

function greeting(): Buffer {
  const low = Buffer.alloc(2);
  low.writeUInt16LE(CAPABILITIES);
  return packet(
    0,
    Buffer.concat([
      Buffer.of(10),
      Buffer.from('8.0.30\0'),
      Buffer.of(1, 0, 0, 0),
      Buffer.from('12345678\0'),
      low,
      Buffer.of(33, 2, 0, 0, 0, 21),
      Buffer.alloc(10),
      Buffer.from('123456789012\0'),
    ]),
  );
}

function login(): Buffer {
  const capabilities = Buffer.alloc(4);
  capabilities.writeUInt32LE(CAPABILITIES);
  const fixed = Buffer.concat([capabilities, Buffer.of(0, 0, 0, 1, 33), Buffer.alloc(23)]);
  return packet(1, Buffer.concat([fixed, Buffer.from('shop\0'), Buffer.of(20), Buffer.alloc(20, 7)]));
}
