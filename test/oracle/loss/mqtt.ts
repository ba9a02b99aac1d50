import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

const NOT_AUTHORIZED = 0x87;

/**
 * MQTT 5: answers repeat the number of what they answer, which clients soon use again; the reason that a refusal states names the
 * answer. Messages of QoS 1 and 2, and subscriptions; between them messages without an answer.
 */
export const mqttConversation: ConversationMaker = (count, random) => {
  const numbers = random.below(3) === 0 ? 65_000 : 10 + random.below(8);
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const number = 1 + (index % numbers);
    const topic = `shop/r${index}q/x`;
    const payload = filler(random.below(random.below(3) === 0 ? 3_000 : 40));
    const kind = random.below(3);
    const reason = `id${index}`;
    return {
      request:
        kind === 2
          ? packet(0x82, two(number), Buffer.of(0), text(topic), Buffer.of(1))
          : packet(kind === 0 ? 0x32 : 0x34, text(topic), two(number), Buffer.of(0), Buffer.from(payload)),
      before:
        random.below(4) === 0 ? packet(0x30, text('news/sport'), Buffer.of(0), Buffer.from('goal')) : Buffer.alloc(0),
      response:
        kind === 2
          ? packet(0x90, two(number), because(reason), Buffer.of(NOT_AUTHORIZED))
          : packet(kind === 0 ? 0x40 : 0x50, two(number), Buffer.of(NOT_AUTHORIZED), because(reason)),
      after:
        random.below(4) === 0 ? packet(0x30, text('news/sport'), Buffer.of(0), Buffer.from('rain')) : Buffer.alloc(0),
      failed: true,
    };
  });
  return {
    protocol: 'mqtt',
    port: 1883,
    opening: [
      [0, packet(0x10, text('MQTT'), Buffer.of(5, 2, 0, 60, 0), text('web'))],
      [1, packet(0x20, Buffer.of(0, 0, 0))],
    ],
    exchanges,
    // A number is used again when what it was used for before is answered.
    anyOrder: numbers === 65_000,
    requestOf: (event) => numberIn(event.label, /\br(\d+)q/),
    answerOf: (event) => numberIn(event.status, /\bid(\d+)$/),
  };
};

function packet(first: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  for (let left = body.length; ; left = Math.floor(left / 128)) {
    length.push(left < 128 ? left : (left % 128) + 128);
    if (left < 128) break;
  }
  return Buffer.concat([Buffer.of(first, ...length), body]);
}

function two(number: number): Buffer {
  return Buffer.of(number >> 8, number & 0xff);
}

function text(value: string): Buffer {
  return Buffer.concat([two(value.length), Buffer.from(value)]);
}

/** Properties that hold a reason. */
function because(reason: string): Buffer {
  return Buffer.concat([Buffer.of(reason.length + 3, 0x1f), text(reason)]);
}
