import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

/** HTTP's CONNECT: one request of a connection, refused or granted, and what the tunnel carries. */
export const httpConnectConversation: ConversationMaker = (count, random) => {
  const failed = random.below(2) === 0;
  const body = failed ? filler(random.below(3_000)) : '';
  const agent = filler(random.below(random.below(3) === 0 ? 2_000 : 20), 'a');
  const proxy = filler(random.below(random.below(3) === 0 ? 2_000 : 20), 'p');
  const outcome = failed ? '403 Forbidden' : '200 Connection established';
  const length = failed ? `Content-Length: ${body.length}\r\n` : '';
  const exchange: MadeExchange = {
    request: Buffer.from(`CONNECT r0q.test:443 HTTP/1.1\r\nHost: r0q.test:443\r\nUser-Agent: ${agent}\r\n\r\n`),
    response: Buffer.from(`HTTP/1.1 ${outcome}\r\n${length}Via: ${proxy}\r\n\r\n${body}`),
    after: failed ? Buffer.alloc(0) : Buffer.from(filler(count * 100)),
    failed,
  };
  return {
    protocol: 'http',
    port: 3128,
    opening: [],
    exchanges: [exchange],
    anyOrder: false,
    requestOf: (event) => numberIn(event.label, /\br(\d+)q\./),
    answerOf: ({ status }) => (status === '' ? undefined : 0),
    problemOf: ({ status }) => (status !== '' && status.startsWith('2') === failed ? 'another outcome' : undefined),
  };
};
