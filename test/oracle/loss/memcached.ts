import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

/** memcached's text protocol: errors that name the answer. */
export const memcachedConversation: ConversationMaker = (count, random) => {
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const data = random.below(3) === 0 ? filler(random.below(3_000)) : undefined;
    const request = data === undefined ? `get k${index}\r\n` : `set k${index} 0 0 ${data.length}\r\n${data}\r\n`;
    return { request: Buffer.from(request), response: Buffer.from(`SERVER_ERROR id${index}\r\n`), failed: true };
  });
  return {
    protocol: 'memcached',
    port: 11211,
    opening: [],
    exchanges,
    anyOrder: false,
    requestOf: (event) => numberIn(event.label, /\bk(\d+)\b/),
    answerOf: (event) => numberIn(`${event.status} ${JSON.stringify(event.fields)}`, /\bid(\d+)\b/),
  };
};
