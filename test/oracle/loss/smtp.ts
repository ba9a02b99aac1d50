import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

/** SMTP: recipients that are refused, with replies of one line and of several. */
export const smtpConversation: ConversationMaker = (count, random) => {
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const lines = random.below(3) === 0 ? 1 + random.below(30) : 0;
    const more = Array.from({ length: lines }, () => `550-5.1.1 id${index} ${filler(random.below(200))}\r\n`).join('');
    return {
      request: Buffer.from(`RCPT TO:<r${index}@shop.test>${filler(random.below(40), ' ')}\r\n`),
      response: Buffer.from(`${more}550 5.1.1 id${index}\r\n`),
      failed: true,
    };
  });
  return {
    protocol: 'smtp',
    port: 25,
    opening: [
      [1, Buffer.from('220 mail.test ESMTP\r\n')],
      [0, Buffer.from('EHLO web.test\r\n')],
      [1, Buffer.from('250-mail.test\r\n250 PIPELINING\r\n')],
    ],
    exchanges,
    anyOrder: false,
    requestOf: (event) => numberIn(event.label, /<r(\d+)@/),
    answerOf: (event) => numberIn(`${event.status} ${JSON.stringify(event.fields)}`, /\bid(\d+)\b/),
  };
};
