import type { Message } from '../../../src/analyze/record/event.ts';
import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

const TEXT = 0x81;
const PING = 0x89;

/** WebSocket after its upgrade: each request is a text of the client, its answer one of the server. */
export const webSocketConversation: ConversationMaker = (count, random) => {
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const asked = `m${index} ${filler(random.below(random.below(3) === 0 ? 3_000 : 100), 'a')}`;
    const answered = `m${index} ${filler(random.below(random.below(3) === 0 ? 8_000 : 100), 'b')}`;
    return {
      request: frame(TEXT, asked, random.below(2 ** 31)),
      response: frame(TEXT, answered),
      after: random.below(5) === 0 ? frame(PING, 'still there') : Buffer.alloc(0),
      failed: false,
      messages: [asked.length, answered.length],
    };
  });
  return {
    protocol: 'websocket',
    port: 80,
    opening: [
      [0, Buffer.from(`GET /feed HTTP/1.1\r\nHost: shop\r\n${UPGRADE}Sec-WebSocket-Version: 13\r\n\r\n`)],
      [1, Buffer.from(`HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}\r\n`)],
    ],
    exchanges,
    anyOrder: false,
    requestOf: () => undefined,
    answerOf: () => undefined,
    messageOf: ({ label }: Message) => numberIn(label, /^text m(\d+) /),
  };
};

const UPGRADE = 'Upgrade: websocket\r\nConnection: Upgrade\r\n';

/** A frame (RFC 6455, section 5.2). @param key masks it */
function frame(first: number, text: string, key?: number): Buffer {
  const mask = key === undefined ? 0 : 0x80;
  const head = text.length < 126 ? Buffer.of(first, mask | text.length) : Buffer.of(first, mask | 126, 0, 0);
  if (head.length > 2) head.writeUInt16BE(text.length, 2);
  if (key === undefined) return Buffer.concat([head, Buffer.from(text)]);
  const keys = Buffer.alloc(4);
  keys.writeUInt32BE(key);
  const payload = Buffer.from(text).map((byte, at) => byte ^ (keys[at & 3] as number));
  return Buffer.concat([head, keys, payload]);
}
