import { test } from 'vitest';
import {
  binaryBegins,
  binaryLength,
  binaryLikeness,
  commandName,
  isFailedStatus,
  isMagic,
  isQuiet,
  statusName,
} from '../../../../src/analyze/protocols/memcached/binary.ts';
import { byNumber, byReader, expectLines, judged, madeMessages, WORDS, withNumber } from '../../../support/by-byte.ts';

/** A message (Memcached's binary protocol): magic, opcode, key, extras, value. */
function message(magic: number, opcode: number, key = '', extras = 0, value = ''): Buffer {
  const head = Buffer.alloc(24);
  head[0] = magic;
  head[1] = opcode;
  head.writeUInt16BE(key.length, 2);
  head[4] = extras;
  head.writeUInt32BE(extras + key.length + value.length, 8);
  return Buffer.concat([head, Buffer.alloc(extras, 1), Buffer.from(key + value)]);
}

test('lengths of messages, which side begins one, and what commands and statuses are called', async () => {
  const get = message(0x80, 0, 'orders');
  const messages = [
    ...madeMessages('memcachedBinary', 1),
    ['get', get],
    ['set', message(0x80, 1, 'orders', 8, 'value')],
    ['noop', message(0x80, 10)],
    ['answer', message(0x81, 0, '', 4, 'value')],
  ] as const;
  const lines = byReader(messages, {
    length: [binaryLength, 24, 12],
    'client begins': [(bytes, start) => binaryBegins(bytes, start, true), 24, 12],
    'server begins': [(bytes, start) => binaryBegins(bytes, start, false), 24, 12],
    likeness: [binaryLikeness, 1, 12],
  });
  const bytes = Array.from({ length: 256 }, (_, value) => value);
  lines.push(
    byNumber('length', (length) => judged(binaryLength, withNumber(get, 8, 4, length))),
    byNumber(
      'length of a key',
      (length) => judged(binaryLength, withNumber(withNumber(get, 8, 4, 70_000), 2, 2, length)),
      WORDS,
    ),
    byNumber(
      'opcode without a key',
      (opcode) => judged((at, start) => binaryBegins(at, start, true), message(0x80, opcode)),
      bytes,
    ),
    byNumber('magic', isMagic, bytes),
    byNumber('failed', isFailedStatus, WORDS),
    byNumber('quiet', isQuiet, bytes),
    ...bytes.map(
      (opcode) =>
        `opcode ${opcode}: ${commandName(opcode)}, ${[0, 1, 2].map((status) => statusName(opcode, status)).join(', ')}`,
    ),
    ...bytes.map((status) => `status ${status}: ${statusName(1, status)}`),
  );
  await expectLines('memcached-binary', lines);
});
