import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

/** Statuses of responses; OK has exceptions of the method as well. */
const STATUS = { ok: 20, serviceError: 70 } as const;

/** Dubbo with Hessian 2: errors, and exceptions of the method, of which the text or the class names the answer; in any order. */
export const dubboConversation: ConversationMaker = (count, random) => {
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const called = ['2.0.2', 'shop.Cart', '1.0.0', `m${index}`, 'Ljava/lang/String;', filler(random.below(900))];
    const more = filler(random.below(900));
    return {
      request: message(0xc2, 0, index, Buffer.concat(called.map(text))),
      response:
        random.below(2) === 0
          ? message(0x02, STATUS.serviceError, index, text(`id${index} ${more}`))
          : message(0x02, STATUS.ok, index, exception(`shop.id${index}`, more)),
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
    problemOf: ({ status }) => (status === 'OK' ? 'it failed' : undefined),
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

/** An exception: the number of its kind, the definition of its class, and fields of that. */
function exception(name: string, fields: string): Buffer {
  return Buffer.concat([Buffer.of(0x90, 0x43), text(name), Buffer.from(fields)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length < 32) return Buffer.concat([Buffer.of(bytes.length), bytes]);
  return Buffer.concat([Buffer.of(0x30 + (bytes.length >> 8), bytes.length & 255), bytes]);
}
