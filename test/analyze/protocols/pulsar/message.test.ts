import { expect, test } from 'vitest';
import {
  pulsarBegins,
  pulsarLength,
  pulsarLikeness,
  varint,
} from '../../../../src/analyze/protocols/pulsar/message.ts';
import { byByte, byNumber, expectLines, judged, withNumber } from '../../../support/by-byte.ts';

const varintOf = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) + 128, ...varintOf(Math.floor(value / 128))];
/** A command (PulsarApi.proto): its type, and the field of that number. */
function command(type: number, fields: number[], payload = 0): Buffer {
  const outer = Buffer.from([8, type, ...varintOf(type * 8 + 2), ...varintOf(fields.length), ...fields]);
  const lengths = Buffer.alloc(8);
  lengths.writeInt32BE(4 + outer.length + payload);
  lengths.writeInt32BE(outer.length, 4);
  return Buffer.concat([lengths, outer, Buffer.alloc(payload, 7)]);
}

const COMMANDS = {
  connect: command(2, [10, 5, ...Buffer.from('3.2.0'), 32, 21]),
  connected: command(3, [10, 3, ...Buffer.from('3.0'), 16, 21]),
  ping: command(18, []),
  lookup: command(23, [10, 6, ...Buffer.from('orders'), 16, 7]),
  'long lookup': command(23, [10, 150, 1, ...Buffer.alloc(150, 0x61)]),
  send: command(6, [8, 0, 16, 7], 40),
} as const;

test('lengths of commands, which begin, and whose they are', async () => {
  const lines: string[] = [];
  for (const [name, bytes] of Object.entries(COMMANDS)) {
    lines.push(
      ...byByte(`length, ${name}`, bytes, pulsarLength, 10, 10),
      ...byByte(`begins, ${name}`, bytes, pulsarBegins, 10, 16),
    );
    lines.push(...byByte(`likeness, ${name}`, bytes, pulsarLikeness, 1, 16));
  }
  const { send, ping } = COMMANDS;
  lines.push(
    byNumber('length', (length) => judged(pulsarLength, withNumber(send, 0, 4, length))),
    byNumber('length of the command', (length) =>
      judged(pulsarLength, withNumber(withNumber(send, 0, 4, 2 ** 24), 4, 4, length)),
    ),
    byNumber('length of a short one', (length) =>
      judged(pulsarLength, withNumber(withNumber(ping, 4, 4, 2), 0, 4, length)),
    ),
    ...Array.from({ length: 256 }, (_, type) => `type ${type}: ${judged(pulsarLikeness, command(type, []))}`),
  );
  await expectLines('pulsar', lines);
});

test('varints of any size, cut anywhere', () => {
  for (const value of [0, 1, 127, 128, 300, 16_383, 16_384, 2 ** 31, 2 ** 32, 2 ** 52]) {
    const bytes = Buffer.from([9, ...varintOf(value), 5]);
    const end = bytes.length - 1;
    expect(varint(bytes, 1, bytes.length)).toEqual({ value: BigInt(value), end });
    for (let cut = 1; cut < end; cut += 1) expect(varint(bytes, 1, cut)).toEqual({ value: -1n, end: cut });
  }
  const longest = Buffer.concat([Buffer.alloc(9, 0xff), Buffer.of(1)]);
  expect(varint(longest, 0, 10)).toEqual({ value: 2n ** 64n - 1n, end: 10 });
  expect(varint(Buffer.alloc(11, 0x80), 0, 11).value).toBe(-1n);
});
