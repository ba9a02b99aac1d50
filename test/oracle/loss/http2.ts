import { frame } from '../../analyze/protocols/http2/made-frames.ts';
import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

const HEADERS = 1;
const DATA = 0;
const SETTINGS = 4;
const END_STREAM = 1;
const END_HEADERS = 4;
const FIRST_STATUS = 400;

/** HTTP/2 with headers that are always written out (RFC 7541, section 6.2.2): nothing depends on what was lost. */
export const http2Conversation: ConversationMaker = (count, random) => {
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const stream = 2 * index + 1;
    const status = FIRST_STATUS + (index % 190);
    const asked = literal(':method', 'GET', ':scheme', 'http', ':authority', 'shop', ':path', `/r${index}`);
    return {
      request: frame(HEADERS, END_STREAM | END_HEADERS, stream, asked),
      response: Buffer.concat([
        frame(HEADERS, END_HEADERS, stream, literal(':status', `${status}`, 'server', 'made')),
        frame(DATA, END_STREAM, stream, Buffer.from(filler(random.below(4_000), 'y'))),
      ]),
      failed: status >= 500,
    };
  });
  return {
    protocol: 'http',
    port: 80,
    opening: [
      [0, Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(SETTINGS, 0, 0, Buffer.alloc(0))])],
      [1, Buffer.concat([frame(SETTINGS, 0, 0, Buffer.alloc(0)), frame(SETTINGS, 1, 0, Buffer.alloc(0))])],
    ],
    exchanges,
    anyOrder: true,
    requestOf: (event) => numberIn(event.label, /\/r(\d+)/),
    answerOf: (event) => {
      const status = numberIn(event.status, /^(\d{3})/);
      return status === undefined ? undefined : status - FIRST_STATUS;
    },
  };
};

function literal(...fields: string[]): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const [name = '', value = ''] = [fields[at], fields[at + 1]];
    parts.push(Buffer.of(0, name.length), Buffer.from(name), Buffer.of(value.length), Buffer.from(value));
  }
  return Buffer.concat(parts);
}
