import type { Random } from '../../support/random.ts';
import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

const TYPE = { connect: 1, accept: 2, refuse: 4, data: 6 } as const;
const VERSION = 318;
/** Refusals name the answer by their code, from this one on. */
const FIRST_CODE = 20_000;
/** Where a CONNECT's description begins, and the longest that stands in it: a longer one follows in a packet of its own. */
const DESCRIPTION_AT = 70;
const DESCRIPTION_MAXIMUM = 230;
/** What the client calls next, and how a call ended. */
const CALL = 3;
const CALL_ENDED = 4;

/**
 * Oracle's TNS: a client that waits for each answer to its CONNECT, of which the description names the request and the refusal's
 * code the answer. Before them are a CONNECT that is accepted, and calls and their results of that.
 */
export const tnsConversation: ConversationMaker = (count, random) => {
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    return {
      before: random.below(4) === 0 ? data(CALL, filler(lengthOf(random))) : Buffer.alloc(0),
      request: connect(`r${index}q`, random),
      response: refuse(FIRST_CODE + index),
      after: random.below(4) === 0 ? data(6, `ORA-00942: a row ${filler(lengthOf(random))}`) : Buffer.alloc(0),
      failed: true,
    };
  });
  return {
    protocol: 'tns',
    port: 1521,
    opening: [
      [0, connect('shop', random)],
      [1, packet(TYPE.accept, Buffer.concat([Buffer.of(1, 0x3e), Buffer.alloc(22)]))],
      [0, data(CALL, 'login')],
      [1, data(CALL_ENDED, 'done')],
    ],
    exchanges,
    anyOrder: false,
    isSerial: true,
    requestOf: (event) => numberIn(event.label, /^CONNECT r(\d+)q$/),
    answerOf: (event) => {
      const code = numberIn(event.status, /^refused ORA-(\d+)/);
      return code === undefined ? undefined : code - FIRST_CODE;
    },
  };
};

function connect(service: string, random: Random): Buffer {
  const program = filler(lengthOf(random), 'p');
  const description = `(DESCRIPTION=(CONNECT_DATA=(CID=(PROGRAM=${program})(HOST=h)(USER=u))(SERVICE_NAME=${service})))`;
  const fixed = Buffer.alloc(DESCRIPTION_AT - 8);
  fixed.writeUInt16BE(VERSION, 0);
  fixed.writeUInt16BE(300, 2);
  fixed.writeUInt16BE(description.length, 16);
  fixed.writeUInt16BE(DESCRIPTION_AT, 18);
  if (description.length <= DESCRIPTION_MAXIMUM)
    return packet(TYPE.connect, Buffer.concat([fixed, Buffer.from(description)]));
  const apart = packet(TYPE.data, Buffer.concat([Buffer.of(0, 0), Buffer.from(description)]));
  return Buffer.concat([packet(TYPE.connect, fixed), apart]);
}

function refuse(code: number): Buffer {
  const text = `(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR=${code})(ERROR_STACK=(ERROR=(CODE=${code})(EMFI=4))))`;
  return packet(TYPE.refuse, Buffer.concat([Buffer.of(0x22, 0, 0, text.length), Buffer.from(text)]));
}

function packet(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(8 + body.length);
  head[4] = type;
  return Buffer.concat([head, body]);
}

/** Behind an ACCEPT of this version lengths have four bytes. */
function data(first: number, text: string): Buffer {
  const head = Buffer.alloc(11);
  head.writeUInt32BE(head.length + text.length);
  head[4] = TYPE.data;
  head[10] = first;
  return Buffer.concat([head, Buffer.from(text)]);
}

function lengthOf(random: Random): number {
  return random.below(random.below(3) === 0 ? 1_500 : 30);
}
