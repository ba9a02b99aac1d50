import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

/** Dubbo with Hessian 2: answers of which the error names the answer, in any order. */
export const dubboConversation: ConversationMaker = (count, random) => {
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const called = ['2.0.2', 'shop.Cart', '1.0.0', `m${index}`, 'Ljava/lang/String;', filler(random.below(900))];
    return {
      request: message(0xc2, 0, index, Buffer.concat(called.map(text))),
      response: message(0x02, 70, index, text(`id${index} ${filler(random.below(900))}`)),
      failed: true,
    };
  });
  return {
    protocol: 'dubbo',
    port: 20880,
    opening: [],
    exchanges,
    anyOrder: true,
    requestOf: (event) => numberIn(event.label, /\.m(\d+)$/),
    answerOf: (event) => numberIn(JSON.stringify(event.fields), /\bid(\d+)\b/),
  };
};

function message(flags: number, status: number, id: number, body: Buffer): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt16BE(0xdabb);
  head[2] = flags;
  head[3] = status;
  head.writeBigInt64BE((1n << 60n) + BigInt(id), 4);
  head.writeInt32BE(body.length, 12);
  return Buffer.concat([head, body]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length < 32) return Buffer.concat([Buffer.of(bytes.length), bytes]);
  return Buffer.concat([Buffer.of(0x30 + (bytes.length >> 8), bytes.length & 255), bytes]);
}
