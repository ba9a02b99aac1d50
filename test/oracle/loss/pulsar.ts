import type { Random } from '../../support/random.ts';
import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

const TYPE = {
  connect: 2,
  connected: 3,
  subscribe: 4,
  producer: 5,
  send: 6,
  sendError: 8,
  message: 9,
  ack: 10,
  error: 14,
  producerSuccess: 17,
  lookup: 23,
  lookupResponse: 24,
  getSchema: 34,
  getSchemaResponse: 35,
} as const;
/** TopicNotFound. */
const CODE = 11;
const LOOKUP_FAILED = 2;
const FIRST_ID = 500;

/**
 * Pulsar: lookups, subscriptions, schemas and sends that fail, in any order; texts of errors name the answer. A send names only its
 * producer, whose topic was said when the connection began. Between them the server delivers messages.
 */
export const pulsarConversation: ConversationMaker = (count, random) => {
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const [request, response] = pair(index, random);
    return {
      request,
      response,
      before: random.below(4) === 0 ? command(TYPE.ack, { 1: 1, 2: 0 }) : Buffer.alloc(0),
      after:
        random.below(4) === 0 ? command(TYPE.message, { 1: 1, 2: 'id' }, filler(lengthOf(random))) : Buffer.alloc(0),
      failed: true,
    };
  });
  const producers = exchanges.map((_, index) => command(TYPE.producer, { 1: `r${index}q`, 2: index, 3: index }));
  const successes = exchanges.map((_, index) => command(TYPE.producerSuccess, { 1: index, 2: `p${index}` }));
  return {
    protocol: 'pulsar',
    port: 6650,
    opening: [
      [0, command(TYPE.connect, { 1: '3.2.0', 4: 21 })],
      [1, command(TYPE.connected, { 1: 'Pulsar Server3.0', 2: 21 })],
      [0, Buffer.concat(producers)],
      [1, Buffer.concat(successes)],
    ],
    exchanges,
    anyOrder: true,
    requestOf: (event) => (event.label.startsWith('PRODUCER') ? undefined : numberIn(event.label, /\br(\d+)q$/)),
    answerOf: (event) => numberIn(event.status, /\bid(\d+)\b/),
    problemOf: ({ label, status }) =>
      status === 'ok' && !label.startsWith('PRODUCER') && !label.startsWith('(') ? 'it failed' : undefined,
  };
};

function pair(index: number, random: Random): [request: Buffer, response: Buffer] {
  const topic = `r${index}q`;
  const text = `id${index} ${filler(lengthOf(random))}`;
  const id = FIRST_ID + index;
  switch (random.below(4)) {
    case 0:
      return [command(TYPE.lookup, { 1: topic, 2: id }), lookupFailed(id, text)];
    case 1:
      return [
        command(TYPE.subscribe, { 1: topic, 2: filler(lengthOf(random)), 3: 0, 4: index, 5: id }),
        command(TYPE.error, { 1: id, 2: CODE, 3: text }),
      ];
    case 2:
      return [
        command(TYPE.getSchema, { 1: id, 2: topic }),
        command(TYPE.getSchemaResponse, { 1: id, 2: CODE, 3: text }),
      ];
    default:
      return [
        command(TYPE.send, { 1: index, 2: 7 }, filler(lengthOf(random))),
        command(TYPE.sendError, { 1: index, 2: 7, 3: CODE, 4: text }),
      ];
  }
}

function lookupFailed(id: number, text: string): Buffer {
  return command(TYPE.lookupResponse, { 3: LOOKUP_FAILED, 4: id, 6: CODE, 7: text });
}

function lengthOf(random: Random): number {
  return random.below(random.below(3) === 0 ? 2_000 : 30);
}

/** A command with its fields by number (PulsarApi.proto). @param payload of a message: what follows the command */
function command(type: number, fields: Readonly<Record<number, number | string>>, payload = ''): Buffer {
  const inner = Object.entries(fields).flatMap(([field, value]) => {
    if (typeof value === 'number') return [Number(field) << 3, ...varint(value)];
    return [(Number(field) << 3) | 2, ...varint(value.length), ...Buffer.from(value)];
  });
  const outer = Buffer.from([8, type, ...varint((type << 3) | 2), ...varint(inner.length), ...inner]);
  const lengths = Buffer.alloc(8);
  lengths.writeInt32BE(4 + outer.length + payload.length);
  lengths.writeInt32BE(outer.length, 4);
  return Buffer.concat([lengths, outer, Buffer.from(payload)]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)];
}
