import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

/** PostgreSQL's simple queries: rows, then an error whose SQL state names the answer. */
export const postgresqlConversation: ConversationMaker = (count, random) => {
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const rows = Array.from({ length: random.below(4) }, () => dataRow(filler(random.below(1_500))));
    const state = `9${String(index).padStart(4, '0')}`;
    return {
      request: message('Q', Buffer.from(`select ${index} /* ${filler(random.below(600))} */ as q${index}\0`)),
      response: Buffer.concat([
        ...(rows.length > 0 ? [rowDescription(), ...rows] : []),
        message('E', Buffer.from(`SERROR\0C${state}\0Mid${index}\0\0`)),
        READY,
      ]),
      failed: true,
    };
  });
  return {
    protocol: 'postgresql',
    port: 5432,
    opening: [
      [0, startup()],
      [1, Buffer.concat([message('R', Buffer.alloc(4)), READY])],
    ],
    exchanges,
    anyOrder: false,
    requestOf: (event) =>
      numberIn(event.label, /\bselect (\d+) /) ?? numberIn(JSON.stringify(event.fields), /as q(\d+)/),
    answerOf: (event) => numberIn(event.status, /\b9(\d{4})\b/),
  };
};

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const READY = message('Z', Buffer.from('I'));

function startup(): Buffer {
  const body = Buffer.from('user\0shop\0database\0shop\0\0');
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length + 8, 0);
  head.writeUInt32BE(196_608, 4);
  return Buffer.concat([head, body]);
}

function rowDescription(): Buffer {
  const field = Buffer.alloc(18);
  field.writeUInt32BE(25, 6);
  field.writeInt16BE(-1, 10);
  field.writeInt32BE(-1, 12);
  return message('T', Buffer.concat([Buffer.of(0, 1), Buffer.from('q\0'), field]));
}

function dataRow(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return message('D', Buffer.concat([Buffer.of(0, 1), length, Buffer.from(text)]));
}
