import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

const INVALID_ARGUMENTS = 4;
const MISS = 1;
const NONE = Buffer.alloc(0);

/** memcached's binary protocol: an answer has its request's command and number, which most clients leave at 0; its length names it. */
export const memcachedBinaryConversation: ConversationMaker = (count, random) => {
  const numbered = random.below(3) === 0;
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const opaque = numbered ? index : 0;
    const isSet = random.below(3) === 0;
    const key = `r${index}q`;
    const body = isSet
      ? [Buffer.alloc(8), Buffer.from(key), Buffer.from(filler(random.below(3_000)))]
      : [Buffer.alloc(0), Buffer.from(key), Buffer.alloc(0)];
    return {
      request: message(0x80, isSet ? 1 : 0, 0, opaque, body),
      response: message(0x81, isSet ? 1 : 0, isSet ? INVALID_ARGUMENTS : MISS, opaque, [
        Buffer.alloc(0),
        Buffer.alloc(0),
        Buffer.from(filler(1 + index, 'e')),
      ]),
      failed: isSet,
    };
  });
  return {
    protocol: 'memcached',
    port: 11211,
    opening: [],
    exchanges,
    anyOrder: false,
    requestOf: (event) => numberIn(event.label, /\br(\d+)q/),
    // Without all its bytes an answer is none in particular.
    answerOf: ({ responseBytes, incomplete }) =>
      responseBytes > 24 && (incomplete === undefined || incomplete === 'request not seen')
        ? responseBytes - 25
        : undefined,
  };
};

/** @param parts extras, key, value */
function message(magic: number, opcode: number, status: number, opaque: number, parts: readonly Buffer[]): Buffer {
  const [first = NONE, second = NONE, third = NONE] = parts;
  const head = Buffer.alloc(24);
  head[0] = magic;
  head[1] = opcode;
  head.writeUInt16BE(second.length, 2);
  head[4] = first.length;
  head.writeUInt16BE(status, 6);
  head.writeUInt32BE(first.length + second.length + third.length, 8);
  head.writeUInt32BE(opaque, 12);
  return Buffer.concat([head, first, second, third]);
}
