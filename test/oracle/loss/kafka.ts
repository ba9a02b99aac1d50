import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

const PRODUCE = 0;
const FIND_COORDINATOR = 10;
/** Above every error code that has a name: it is shown as a number. */
const FIRST_CODE = 1_000;
const FIRST_CORRELATION = 7;
const FIRST_PRODUCE = 5_000;

/**
 * Kafka: answers name their request by its correlation id, errors name the answer. Some clients restart their numbers, and
 * messages without an acknowledgement have no answer.
 */
export const kafkaConversation: ConversationMaker = (count, random) => {
  const restart = random.below(4) === 0 ? 10 + random.below(8) : Number.POSITIVE_INFINITY;
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const correlation = FIRST_CORRELATION + (index % restart);
    const group = `g${index}-${filler(random.below(random.below(3) === 0 ? 2_000 : 20))}`;
    const asked = request(FIND_COORDINATOR, correlation, shortText(group));
    const isPreceded = random.below(6) === 0;
    const sent = isPreceded ? request(PRODUCE, FIRST_PRODUCE + index, produced()) : Buffer.alloc(0);
    return {
      request: asked,
      before: sent,
      response: response(correlation, FIRST_CODE + index, random.below(random.below(3) === 0 ? 4_000 : 40)),
      failed: true,
    };
  });
  return {
    protocol: 'kafka',
    port: 9092,
    opening: [],
    exchanges,
    anyOrder: false,
    requestOf: (event) => numberIn(event.label, /\bg(\d+)-/),
    answerOf: (event) => {
      const code = numberIn(event.status, /^ERROR (\d+)/);
      return code === undefined ? undefined : code - FIRST_CODE;
    },
  };
};

function request(key: number, correlation: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(key, 0);
  head.writeUInt16BE(0, 2);
  head.writeInt32BE(correlation, 4);
  return sized(Buffer.concat([head, shortText('shop'), body]));
}

/** A message for nobody in particular, whose sender wants no acknowledgement. */
function produced(): Buffer {
  const head = Buffer.alloc(10);
  head.writeInt16BE(0, 0);
  head.writeInt32BE(1_000, 2);
  head.writeInt32BE(0, 6);
  return head;
}

/** FindCoordinator v0: error, node, host, port. */
function response(correlation: number, code: number, hostLength: number): Buffer {
  const head = Buffer.alloc(10);
  head.writeInt32BE(correlation, 0);
  head.writeInt16BE(code, 4);
  head.writeInt32BE(1, 6);
  return sized(Buffer.concat([head, shortText(filler(hostLength, 'h')), Buffer.of(0, 0, 0x23, 0x84)]));
}

function shortText(text: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  return Buffer.concat([length, Buffer.from(text)]);
}

function sized(message: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(message.length);
  return Buffer.concat([length, message]);
}
