import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

const TYPE = { begin: 1, end: 3, params: 4, stdin: 5, stdout: 6, stderr: 7 };

/** At most so many requests wait at a time: an id is used again once the request that had it is answered. */
const IDS = 10;

/** FastCGI on a connection that is kept. */
export const fastcgiConversation: ConversationMaker = (count, random) => {
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const path = `/r${index}?${filler(random.below(300))}`;
    const record = recordOf(1 + (index % IDS));
    const request = [
      record(TYPE.begin, Buffer.of(0, 1, 1, 0, 0, 0, 0, 0)),
      record(TYPE.params, Buffer.concat([pair('REQUEST_METHOD', 'GET'), pair('REQUEST_URI', path)])),
      record(TYPE.params, Buffer.alloc(0)),
      ...(random.below(3) === 0 ? [record(TYPE.stdin, Buffer.alloc(random.below(4_000) + 1, 120))] : []),
      record(TYPE.stdin, Buffer.alloc(0)),
    ];
    const body = filler(random.below(3) === 0 ? random.below(6_000) : 20);
    const response = [
      record(TYPE.stderr, Buffer.from(`id${index}\n`)),
      record(TYPE.stdout, Buffer.from(`Status: 500 Error\r\nX-Id: id${index}\r\n\r\n`)),
      record(TYPE.stdout, Buffer.from(body)),
      record(TYPE.end, Buffer.alloc(8)),
    ];
    return { request: Buffer.concat(request), response: Buffer.concat(response), failed: true };
  });
  return {
    protocol: 'fastcgi',
    port: 9000,
    opening: [],
    exchanges,
    anyOrder: false,
    requestOf: (event) => numberIn(event.label, /\/r(\d+)/),
    answerOf: (event) => numberIn(JSON.stringify(event.fields), /\bid(\d+)\b/),
  };
};

function recordOf(id: number) {
  return (type: number, content: Buffer): Buffer => {
    const padding = (8 - (content.length % 8)) % 8;
    return Buffer.concat([
      Buffer.of(1, type, 0, id, content.length >> 8, content.length & 255, padding, 0),
      content,
      Buffer.alloc(padding),
    ]);
  };
}

function pair(name: string, value: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(value.length + 0x80000000);
  return Buffer.concat([
    Buffer.of(name.length),
    value.length < 128 ? Buffer.of(value.length) : length,
    Buffer.from(name + value),
  ]);
}
