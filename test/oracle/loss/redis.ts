import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

/** Redis (RESP2): errors, simple strings and arrays whose first word names the answer. */
export const redisConversation: ConversationMaker = (count, random) => {
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const key = `k${index}`;
    const value = random.below(3) === 0 ? filler(random.below(4_000)) : undefined;
    const failed = random.below(2) === 0;
    return {
      request: command(...(value === undefined ? ['GET', key] : ['SET', key, value])),
      response: Buffer.from(failed ? `-ERR id${index} ${filler(random.below(200))}\r\n` : `+id${index}\r\n`),
      failed,
    };
  });
  return {
    protocol: 'redis',
    port: 6379,
    opening: [],
    exchanges,
    anyOrder: false,
    requestOf: (event) => numberIn(event.label, /\bk(\d+)\b/),
    answerOf: (event) => numberIn(event.status, /\bid(\d+)\b/),
  };
};

function command(...words: string[]): Buffer {
  return Buffer.from(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`);
}
