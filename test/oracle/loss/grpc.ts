import { frame } from '../../analyze/protocols/http2/made-frames.ts';
import type { Random } from '../../support/random.ts';
import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';
import { HpackEncoder } from './hpack-encoder.ts';

const DATA = 0;
const HEADERS = 1;
const SETTINGS = 4;
const END_STREAM = 1;
const END_HEADERS = 4;
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const SETTINGS_FRAME = frame(SETTINGS, 0, 0, Buffer.alloc(0));

/** gRPC whose header fields are in HPACK's dynamic table, as every program has them: what was lost changes what follows. */
export const grpcConversation: ConversationMaker = (count, random) => {
  const tableBytes = [4096, 400, 200][random.below(3)] as number;
  const client = new HpackEncoder(tableBytes);
  const server = new HpackEncoder(tableBytes);
  const codes: number[] = [];
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const stream = 2 * index + 1;
    const code = random.below(2) === 0 ? 0 : random.below(17);
    codes.push(code);
    const asked = client.encode([
      [':method', 'POST', true],
      [':scheme', 'http', true],
      [':path', `/shop.Cart/r${index}`, random.below(2) === 0],
      [':authority', 'cart', true],
      ['content-type', 'application/grpc', true],
      ['te', 'trailers', true],
      ['x-id', `${random.below(3)}`, true],
    ]);
    const head = server.encode([
      [':status', '200', true],
      ['content-type', 'application/grpc', true],
    ]);
    const trailers = server.encode([
      ['grpc-status', `${code}`, true],
      ...(code === 0 ? [] : [['grpc-message', `id${index}`, random.below(2) === 0] as const]),
    ]);
    return {
      request: Buffer.concat([
        frame(HEADERS, END_HEADERS, stream, asked),
        frame(DATA, END_STREAM, stream, message(random)),
      ]),
      response: Buffer.concat([
        frame(HEADERS, END_HEADERS, stream, head),
        frame(DATA, 0, stream, message(random)),
        frame(HEADERS, END_HEADERS | END_STREAM, stream, trailers),
      ]),
      failed: code !== 0,
    };
  });
  return {
    protocol: 'grpc',
    port: 50_051,
    opening: [
      [0, Buffer.concat([PREFACE, SETTINGS_FRAME])],
      [1, Buffer.concat([SETTINGS_FRAME, frame(SETTINGS, 1, 0, Buffer.alloc(0))])],
    ],
    exchanges,
    anyOrder: false,
    requestOf: (event) => numberIn(event.label, /\/r(\d+)/),
    // Only an error is told apart from every other answer; a call without one is OK or not.
    answerOf: (event) => numberIn(event.status, /\bid(\d+)$/),
    problemOf: (event, request) => {
      if (request === undefined || event.status === '') return undefined;
      const isOk = event.status === 'OK';
      return isOk === (codes[request] === 0) ? undefined : `status ${event.status}, but it was code ${codes[request]}`;
    },
  };
};

function message(random: Random): Buffer {
  const length = random.below(random.below(4) === 0 ? 4_000 : 100);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, Buffer.from(filler(length, 'p'))]);
}
