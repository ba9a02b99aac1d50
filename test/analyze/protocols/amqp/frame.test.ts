import { expect, test } from 'vitest';
import { frameLength, HEADER, METHOD } from '../../../../src/analyze/protocols/amqp/frame.ts';

const BODY = 3;
const HEARTBEAT = 8;

/** The first bytes of a frame (AMQP 0-9-1, section 4.2.3). */
function head(type: number, channel: number, size: number): Buffer {
  const bytes = Buffer.alloc(7);
  bytes.writeUInt8(type, 0);
  bytes.writeUInt16BE(channel, 1);
  bytes.writeInt32BE(size, 3);
  return bytes;
}

/** Seven bytes before the payload, and one after it. */
const AROUND = 8;
const LARGEST = 16 * 1024 * 1024;

test.each([
  [METHOD, 0, 4, 4 + AROUND],
  [METHOD, 0, 3, 0],
  [HEADER, 0, 0, AROUND],
  [BODY, 8191, 1, 1 + AROUND],
  [BODY, 8192, 1, 0],
  [BODY, 1, LARGEST, LARGEST + AROUND],
  [BODY, 1, LARGEST + 1, 0],
  [BODY, 1, -1, 0],
  [BODY + 1, 1, 1, 0],
  [0, 1, 1, 0],
  [HEARTBEAT, 0, 0, AROUND],
  [HEARTBEAT, 1, 0, 0],
  [HEARTBEAT, 0, 1, 0],
])('a frame of type %i, channel %i, size %i has %i bytes', (type, channel, size, length) => {
  expect(frameLength(head(type, channel, size), 0)).toBe(length);
});

test('a greeting, also of another version, is a frame of its own length', () => {
  expect(frameLength(Buffer.from('AMQP\x00\x00\x09\x01', 'latin1'), 0)).toBe(8);
  expect(frameLength(Buffer.from('AMQP\x00\x00\x09', 'latin1'), 0)).toBe(8);
  expect(frameLength(Buffer.from('AMQX\x00\x00\x09', 'latin1'), 0)).toBe(0);
});
