import { test } from 'vitest';
import {
  isReply,
  messageBegins,
  messageLength,
  mongodbLikeness,
} from '../../../../src/analyze/protocols/mongodb/message.ts';
import { byByte, byNumber, expectLines, judged } from '../../../support/by-byte.ts';

/** A message (MongoDB Wire Protocol): what it answers, its operation, and what follows. */
function message(answers: number, operation: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([numbers(16 + body.length, 7, answers, operation), body]);
}
function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeInt32LE(value | 0, index * 4);
  return bytes;
}
const fields = Buffer.from('\x10ping\0\x01\0\0\0\0', 'latin1');
const document = Buffer.concat([numbers(4 + fields.length), fields]);

const MESSAGES = {
  OP_MSG: message(0, 2013, numbers(0), Buffer.of(0), document),
  'OP_MSG, reply': message(6, 2013, numbers(1), Buffer.of(0), document, numbers(99)),
  'OP_MSG, sequence': message(0, 2013, numbers(1 << 16), Buffer.of(1), numbers(40), Buffer.alloc(36, 0x61)),
  OP_COMPRESSED: message(0, 2012, numbers(2013, 500), Buffer.of(2), Buffer.alloc(40, 1)),
  'OP_COMPRESSED, reply': message(5, 2012, numbers(1, 500), Buffer.of(1), Buffer.alloc(40, 1)),
  OP_QUERY: message(-1, 2004, numbers(4), Buffer.from('shop.$cmd\0'), numbers(0, -1), document),
  OP_REPLY: message(5, 1, numbers(8, 0, 0, 0, 1), document),
  OP_INSERT: message(0, 2002, numbers(0), Buffer.from('shop.orders\0'), document),
} as const;

test('lengths of messages, which begin, and whose they are', async () => {
  const lines: string[] = [];
  for (const [name, bytes] of Object.entries(MESSAGES)) {
    lines.push(...byByte(`length, ${name}`, bytes, messageLength, 16, 16));
    lines.push(...byByte(`begins, ${name}`, bytes, messageBegins, 25));
    lines.push(...byByte(`reply, ${name}`, bytes, isReply, 16, 12));
    lines.push(...byByte(`likeness, ${name}`, bytes, mongodbLikeness));
  }
  const withNumber = (bytes: Buffer, at: number, value: number) => {
    const other = Buffer.from(bytes);
    other.writeUInt32LE(value, at);
    return other;
  };
  const { OP_MSG: msg, OP_COMPRESSED: compressed, OP_QUERY: query, OP_REPLY: reply, OP_INSERT: insert } = MESSAGES;
  const operations = Array.from({ length: 3000 }, (_, value) => value);
  lines.push(
    byNumber('operation', (value) => judged(messageLength, withNumber(msg, 12, value)), operations),
    byNumber('length', (value) => judged(messageLength, withNumber(msg, 0, value))),
    byNumber('length that has come alone', (value) => judged(mongodbLikeness, withNumber(msg, 0, value), 15)),
    byNumber('length of one that begins', (value) => judged(messageBegins, withNumber(msg, 0, value))),
    byNumber('length of one that likely is one', (value) => judged(mongodbLikeness, withNumber(msg, 0, value))),
    byNumber('flags of OP_MSG', (value) => judged(messageBegins, withNumber(msg, 16, value))),
    byNumber('length of a document', (value) => judged(messageBegins, withNumber(msg, 21, value))),
    byNumber('operation compressed', (value) => judged(messageBegins, withNumber(compressed, 16, value)), operations),
    byNumber('size uncompressed', (value) => judged(messageBegins, withNumber(compressed, 20, value))),
    byNumber('flags of OP_QUERY', (value) => judged(mongodbLikeness, withNumber(query, 16, value))),
    byNumber('flags of OP_REPLY', (value) => judged(mongodbLikeness, withNumber(reply, 16, value))),
    byNumber('length of OP_INSERT', (value) => judged(messageLength, withNumber(insert, 0, value))),
    byNumber(
      'letters of a collection behind a dot',
      (count) => judged(mongodbLikeness, message(0, 2004, numbers(0), Buffer.from(`.${'a'.repeat(count)}\x01`))),
      [254, 255, 256, 257],
    ),
    byNumber(
      'letters of a collection before its dot',
      (count) => judged(mongodbLikeness, message(0, 2004, numbers(0), Buffer.from(`${'a'.repeat(count)}.\0`))),
      [253, 254, 255, 256, 257],
    ),
  );
  for (const text of ['', 'shop', 'shop.', '.', 'shop.a\x1f', 'shop.a b', 'shop.\x7f'])
    lines.push(
      `collection ${JSON.stringify(text)}: ${judged(mongodbLikeness, message(0, 2004, numbers(0), Buffer.from(`${text}\0aaaa`)))}`,
      `  without its end: ${judged(mongodbLikeness, message(0, 2004, numbers(0), Buffer.from(`shopshop${text}`)))}`,
    );
  await expectLines('mongodb', lines);
});
