import type { Random } from '../../support/random.ts';
import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

/** Statuses that always have a body: each exchange of a conversation has its own. */
const FIRST_STATUS = 400;
const STATUSES = 190;

/** HTTP/1.1: content lengths and chunks, with and without bodies in requests. */
export const http1Conversation: ConversationMaker = (count, random) => {
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const status = FIRST_STATUS + (index % STATUSES);
    return { request: request(index, random), response: response(status, random), failed: status >= 500 };
  });
  return {
    protocol: 'http',
    port: 80,
    opening: [],
    exchanges,
    anyOrder: false,
    // Of a target that was cut the number may go on.
    requestOf: (event) => numberIn(event.label, /\/r(\d+)(?![\d…])/),
    answerOf: (event) => {
      const status = numberIn(event.status, /^(\d{3})/);
      return status === undefined ? undefined : status - FIRST_STATUS;
    },
  };
};

function request(index: number, random: Random): Buffer {
  const body = random.below(4) === 0 ? filler(random.below(3_000), 'b') : undefined;
  const head = [
    `${body === undefined ? 'GET' : 'POST'} /r${index} HTTP/1.1`,
    'Host: shop',
    ...(random.below(3) === 0 ? [`X-Long: ${filler(random.below(2_000))}`] : []),
    ...(body === undefined ? [] : [`Content-Length: ${body.length}`]),
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body ?? ''}`);
}

function response(status: number, random: Random): Buffer {
  const body = filler(random.below(random.below(3) === 0 ? 20_000 : 300), 'y');
  if (random.below(3) > 0) {
    return Buffer.from(`HTTP/1.1 ${status} Made\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  }
  const chunks = [body.slice(0, body.length >> 1), body.slice(body.length >> 1)].filter((chunk) => chunk.length > 0);
  const coded = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
  return Buffer.from(`HTTP/1.1 ${status} Made\r\nTransfer-Encoding: chunked\r\n\r\n${coded}0\r\n\r\n`);
}
