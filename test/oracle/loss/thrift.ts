import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

const TYPE = { call: 1, exception: 3 } as const;

/** Thrift's binary or compact protocol, in frames or without: exceptions of the protocol itself, which name the answer. */
export const thriftConversation: ConversationMaker = (count, random) => {
  const isFramed = random.below(2) === 0;
  const message = random.below(3) === 0 ? compactMessage : binaryMessage;
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const asked = message(TYPE.call, `ask${index}`, index, filler(random.below(2_500)));
    const answered = message(TYPE.exception, `ask${index}`, index, `id${index} ${filler(random.below(2_500))}`);
    return { request: framed(asked, isFramed), response: framed(answered, isFramed), failed: true };
  });
  return {
    protocol: 'thrift',
    port: 9090,
    opening: [],
    exchanges,
    anyOrder: isFramed,
    requestOf: (event) => numberIn(event.label, /^ask(\d+)$/),
    answerOf: (event) => numberIn(event.status, /\bid(\d+)\b/),
  };
};

/** A message with a structure of one text. */
function compactMessage(type: number, name: string, sequence: number, value: string): Buffer {
  return Buffer.concat([
    Buffer.of(0x82, (type << 5) | 1, ...varint(sequence)),
    Buffer.of(...varint(name.length)),
    Buffer.from(name),
    Buffer.of(0x18, ...varint(value.length)),
    Buffer.from(value),
    Buffer.of(0),
  ]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)];
}

/** The same in the binary protocol. */
function binaryMessage(type: number, name: string, sequence: number, value: string): Buffer {
  return Buffer.concat([
    Buffer.of(0x80, 1, 0, type),
    text(name),
    number(sequence),
    Buffer.of(11, 0, 1),
    text(value),
    Buffer.of(0),
  ]);
}

function framed(bytes: Buffer, isFramed: boolean): Buffer {
  return isFramed ? Buffer.concat([number(bytes.length), bytes]) : bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([number(value.length), Buffer.from(value)]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
