import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

/** NATS: requests whose replies have subjects of their own; an error in a reply's head names it. Between them others' messages. */
export const natsConversation: ConversationMaker = (count, random) => {
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const asked = filler(random.below(random.below(3) === 0 ? 3_000 : 40));
    const head = `NATS/1.0 500 id${index}\r\n\r\n`;
    const told = filler(random.below(random.below(3) === 0 ? 3_000 : 40), 'y');
    const total = head.length + told.length;
    return {
      request: Buffer.from(`PUB shop.r${index}q _INBOX.web.${index} ${asked.length}\r\n${asked}\r\n`),
      before: random.below(4) === 0 ? Buffer.from('PUB news.sport 3\r\nPUB\r\n') : Buffer.alloc(0),
      response: Buffer.from(`HMSG _INBOX.web.${index} 1 ${head.length} ${total}\r\n${head}${told}\r\n`),
      after: random.below(4) === 0 ? Buffer.from('MSG news.sport 2 3\r\nMSG\r\n') : Buffer.alloc(0),
      failed: true,
    };
  });
  return {
    protocol: 'nats',
    port: 4222,
    opening: [
      [1, Buffer.from('INFO {"server_id":"NA","version":"2.10.22","max_payload":1048576}\r\n')],
      [0, Buffer.from('CONNECT {"verbose":false,"name":"web"}\r\nPING\r\nSUB _INBOX.web.* 1\r\nSUB news.* 2\r\n')],
      [1, Buffer.from('PONG\r\n')],
    ],
    exchanges,
    anyOrder: true,
    requestOf: (event) => numberIn(event.label, /\br(\d+)q/),
    answerOf: (event) => numberIn(event.status, /\bid(\d+)$/),
  };
};
