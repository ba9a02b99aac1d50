import type { Random } from '../../support/random.ts';
import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

const FLAG = { request: 0, response: 1, oneWay: 2 } as const;
const PULL_MESSAGE = 11;
const HEART_BEAT = 34;
const NOTIFY_CONSUMER_IDS_CHANGED = 40;
const TOPIC_NOT_EXIST = 17;
const FIRST_OPAQUE = 40;
/** Numbers of what has no answer: those of client and server each count on their own. */
const FIRST_ONE_WAY = 9_000;

/** Makes a command in one of the two forms of its header. */
type CommandMaker = (command: Command) => Buffer;

interface Command {
  readonly code: number;
  readonly flag: number;
  readonly opaque: number;
  readonly fields?: Readonly<Record<string, string>>;
  readonly remark?: string;
  readonly body?: string;
}

/**
 * RocketMQ, with headers in JSON or in its own form: remarks of errors name the answer, which may come in any order. Between
 * them are heartbeats without an answer, and what the server notifies.
 */
export const rocketmqConversation: ConversationMaker = (count, random) => {
  const make = random.below(2) === 0 ? jsonCommand : binaryCommand;
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const opaque = FIRST_OPAQUE + index;
    return {
      before: random.below(5) === 0 ? heartBeat(make, FIRST_ONE_WAY + index) : Buffer.alloc(0),
      request: make({
        code: PULL_MESSAGE,
        flag: FLAG.request,
        opaque,
        fields: { topic: `r${index}q`, consumerGroup: 'billing' },
        body: filler(lengthOf(random)),
      }),
      response: make({
        code: TOPIC_NOT_EXIST,
        flag: FLAG.response,
        opaque,
        fields: { brokerName: 'shop' },
        remark: `id${index} ${filler(random.below(100))}`,
        body: filler(lengthOf(random)),
      }),
      // The server counts on its own: its numbers are those of the client's requests as well.
      after: random.below(5) === 0 ? notice(make, FIRST_OPAQUE + random.below(count)) : Buffer.alloc(0),
      failed: true,
    };
  });
  return {
    protocol: 'rocketmq',
    port: 10911,
    opening: [],
    exchanges,
    anyOrder: true,
    requestOf: (event) => numberIn(event.label, /\br(\d+)q$/),
    answerOf: (event) => numberIn(event.status, /\bid(\d+)\b/),
  };
};

function lengthOf(random: Random): number {
  return random.below(random.below(3) === 0 ? 3_000 : 30);
}

function heartBeat(make: CommandMaker, opaque: number): Buffer {
  return make({ code: HEART_BEAT, flag: FLAG.oneWay, opaque, fields: { group: 'billing' } });
}

function notice(make: CommandMaker, opaque: number): Buffer {
  return make({ code: NOTIFY_CONSUMER_IDS_CHANGED, flag: FLAG.oneWay, opaque, fields: { consumerGroup: 'billing' } });
}

function jsonCommand({ code, flag, opaque, fields = {}, remark, body = '' }: Command): Buffer {
  const about = { serializeTypeCurrentRPC: 'JSON', version: 317 };
  const header = { code, extFields: fields, flag, language: 'JAVA', opaque, ...(remark && { remark }), ...about };
  return command(0, Buffer.from(JSON.stringify(header)), body);
}

function binaryCommand({ code, flag, opaque, fields = {}, remark = '', body = '' }: Command): Buffer {
  const given = Object.entries(fields).flatMap(([name, value]) => [sized(2, name), sized(4, value)]);
  const head = Buffer.alloc(13);
  head.writeInt16BE(code);
  head.writeInt16BE(317, 3);
  head.writeInt32BE(opaque, 5);
  head.writeInt32BE(flag, 9);
  const rest = [sized(4, remark), sized(4, Buffer.concat(given).toString('latin1'))];
  return command(1, Buffer.concat([head, ...rest]), body);
}

/** @param form of the header: 0 JSON, 1 RocketMQ's own */
function command(form: 0 | 1, header: Buffer, body: string): Buffer {
  const lengths = Buffer.alloc(8);
  lengths.writeInt32BE(4 + header.length + body.length);
  lengths.writeInt32BE((form << 24) | header.length, 4);
  return Buffer.concat([lengths, header, Buffer.from(body)]);
}

function sized(bytes: 2 | 4, text: string): Buffer {
  const length = Buffer.alloc(bytes);
  length.writeUIntBE(text.length, 0, bytes);
  return Buffer.concat([length, Buffer.from(text, 'latin1')]);
}
