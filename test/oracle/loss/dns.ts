import type { Random } from '../../support/random.ts';
import { type ConversationMaker, type MadeConversation, type MadeExchange, numberIn } from './conversation.ts';

/** DNS over TCP: messages with their length before them; the question names the request, the address the answer. */
export const dnsTcpConversation: ConversationMaker = (count, random) => conversation(count, random, 'tcp');

/** DNS over UDP: one message in each datagram. */
export const dnsUdpConversation: ConversationMaker = (count, random) => conversation(count, random, 'udp');

function conversation(count: number, random: Random, transport: 'tcp' | 'udp'): MadeConversation {
  const framed = transport === 'tcp' ? sized : (message: Buffer) => message;
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    // Few ids: resolvers use them again.
    const id = random.below(transport === 'tcp' ? 50 : 65_536);
    const name = `r${index}.shop`;
    const code = [0, 0, 2, 3][random.below(4)] as number;
    return {
      request: framed(query(id, name)),
      response: framed(answer(id, name, code, index)),
      failed: code === 2,
    };
  });
  return {
    protocol: 'dns',
    port: 53,
    transport,
    opening: [],
    exchanges,
    anyOrder: true,
    requestOf: ({ label, requestBytes }) => (requestBytes > 0 ? numberIn(label, /\br(\d+)\.shop/) : undefined),
    answerOf: ({ fields }) => numberIn(JSON.stringify(fields), /10\.9\.8\.(\d+)/),
  };
}

function query(id: number, name: string): Buffer {
  return Buffer.concat([header(id, 0x0100, 0), question(name)]);
}

/** An address that names the answer, as the answer or beside an error. */
function answer(id: number, name: string, code: number, index: number): Buffer {
  const record = Buffer.of(0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 10, 9, 8, index);
  return Buffer.concat([header(id, 0x8180 | code, 1), question(name), record]);
}

function header(id: number, flags: number, answers: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(flags, 2);
  bytes.writeUInt16BE(1, 4);
  bytes.writeUInt16BE(answers, 6);
  return bytes;
}

function question(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.of(0, 0, 1, 0, 1)]);
}

function sized(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
