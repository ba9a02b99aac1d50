import { expect, test } from 'vitest';
import {
  cqlLikeness,
  frameBegins,
  frameLength,
  isSegment,
  segmentBegins,
} from '../../../../src/analyze/protocols/cql/frame.ts';
import { SIDE } from '../../../../src/analyze/record/event.ts';

type Side = typeof SIDE.client | typeof SIDE.server;

const short = (value: number) => Buffer.of(value >> 8, value & 255);
function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
const string = (text: string) => Buffer.concat([short(text.length), Buffer.from(text)]);
const longString = (text: string) => Buffer.concat([int(text.length), Buffer.from(text)]);
const frame = (version: number, opcode: number, ...parts: Buffer[]) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(version, 0, 0, 7, opcode), int(body.length), body]);
};

const CLIENT: readonly Buffer[] = [
  frame(3, 0x07, longString('SELECT a FROM b'), short(1), Buffer.of(0)),
  frame(4, 0x07, longString('A'), short(1), Buffer.of(0)),
  frame(0x41, 0x09, longString('SELECT\tb')),
  frame(5, 0x0a, string('0123456789abcdef'), short(1), Buffer.of(0)),
  frame(4, 0x01, short(1), string('CQL_VERSION'), string('3.0.0')),
  frame(4, 0x0b, short(1), string('SCHEMA_CHANGE')),
  frame(4, 0x0d, Buffer.of(1), short(2), Buffer.of(0), longString('INSERT')),
  frame(4, 0x05),
  frame(4, 0x0f, int(4), Buffer.from('\0a\0b')),
];
const SERVER: readonly Buffer[] = [
  frame(0x84, 0x00, int(0x2200), string('no keyspace')),
  frame(0x84, 0x02),
  frame(0x83, 0x03, string('org.apache.Password')),
  frame(0xc2, 0x06, short(2), string('CQL_VERSION'), short(1), string('3.0.0'), string('A'), short(0)),
  frame(0x84, 0x08, int(2), int(1), int(1)),
  frame(0x84, 0x08, int(1)),
  frame(0x84, 0x0c, string('STATUS_CHANGE'), string('UP')),
  frame(0x84, 0x0e, int(2), Buffer.from('ab')),
  frame(0x84, 0x10, int(-1)),
];

/** A frame's length, by section 2 of the specifications of version 3 to 5; DataStax's versions are 0x41 and 0x42. */
function lengthBySpecification(side: Side, bytes: Buffer): number | undefined {
  const [version = 0, flags = 0] = bytes;
  const isServer = side === SIDE.server;
  if (![3, 4, 5, 0x41, 0x42].map((known) => known + (isServer ? 128 : 0)).includes(version)) return 0;
  if (bytes.length < 9) return undefined;
  const stream = bytes.readInt16BE(2);
  const opcodes = isServer ? [0, 2, 3, 6, 8, 12, 14, 16] : [1, 5, 7, 9, 10, 11, 13, 15];
  const length = bytes.readInt32BE(5);
  if (!opcodes.includes(bytes[4] ?? -1) || flags > 31 || length < 0 || length > 2 ** 28) return 0;
  return stream >= 0 || (isServer && stream === -1) ? 9 + length : 0;
}

/** Whether a frame begins, by what its body begins with. */
function beginsBySpecification(side: Side, bytes: Buffer): boolean | undefined {
  const length = lengthBySpecification(side, bytes);
  if (length === undefined) return undefined;
  if (length === 0) return false;
  const size = length - 9;
  const opcode = bytes[4] ?? 0;
  if (opcode === 5 || opcode === 2) return size === 0;
  if (bytes.length < 9 + Math.min(size, 16)) return undefined;
  if (bytes[1] !== 0) return [7, 10, 8].includes(opcode);
  const body = Buffer.alloc(64);
  bytes.copy(body, 0, 9, Math.min(bytes.length, 9 + Math.min(size, 16)));
  const looked = Math.min(size, 16);
  const isText = (at: number, count: number) =>
    count > 0 &&
    [...body.subarray(at, Math.max(at, Math.min(looked, at + count)))].every(
      (byte) => (byte > 31 && byte !== 127) || [9, 10, 13].includes(byte),
    );
  const [first16, first32] = [body.readUInt16BE(0), body.readInt32BE(0)];
  switch (opcode) {
    case 7:
    case 9:
      return size > 6 && first32 > 0 && first32 + 4 <= size && isText(4, first32);
    case 10:
      return size > 4 && first16 > 0 && first16 <= 64 && first16 + 4 <= size;
    case 1:
    case 11:
    case 6:
      return size > 4 && first16 > 0 && first16 < 100 && isText(4, body.readUInt16BE(2));
    case 3:
    case 12:
      return size > 2 && first16 > 0 && first16 + 2 <= size && isText(2, first16);
    case 13:
      return size > 6 && (body[0] ?? 0) < 3 && (body[3] ?? 0) < 2;
    case 8:
      return size > 3 && [1, 2, 3, 4, 5].includes(first32);
    case 0:
      return size > 5 && first32 >= 0 && first32 < 65_536 && body.readUInt16BE(4) + 6 <= size;
    default:
      return size > 3 && (first32 === -1 || first32 + 4 === size);
  }
}

const within = (bytes: Buffer) => Buffer.concat([Buffer.of(1, 2), bytes, Buffer.alloc(40)]);
const begins = (side: Side, bytes: Buffer) => frameBegins(side, within(bytes), 2, 2 + bytes.length);
const lengthOf = (side: Side, bytes: Buffer) => frameLength(side, within(bytes), 2, 2 + bytes.length);

test('frames of either side begin; every first bytes with any one of them changed, and every shorter body, are judged by the specification', () => {
  for (const [side, frames, likeness] of [
    [SIDE.client, CLIENT, 'client'],
    [SIDE.server, SERVER, 'server'],
  ] as const) {
    for (const [index, whole] of frames.entries()) {
      expect([begins(side, whole), lengthOf(side, whole)], `${likeness} ${index}`).toEqual([true, whole.length]);
      expect(cqlLikeness(within(whole), 2, 2 + whole.length)).toBe(likeness);
      const judged: unknown[] = [];
      const expected: unknown[] = [];
      const judge = (what: string, bytes: Buffer) => {
        for (const of of [SIDE.client, SIDE.server] as const) {
          judged.push([what, of, begins(of, bytes), lengthOf(of, bytes)]);
          expected.push([what, of, beginsBySpecification(of, bytes), lengthBySpecification(of, bytes)]);
        }
      };
      for (let at = 0; at < Math.min(26, whole.length); at += 1) {
        const was = whole[at] ?? 0;
        const some = [
          0,
          1,
          2,
          3,
          4,
          5,
          6,
          9,
          10,
          13,
          16,
          17,
          31,
          32,
          64,
          65,
          99,
          100,
          126,
          127,
          128,
          255,
          was + 1,
          was - 1,
          was + 2,
          was - 2,
          was + 4,
        ];
        for (const value of at === 0 || at === 4 ? Array.from({ length: 256 }, (_, every) => every) : some) {
          const changed = Buffer.from(whole);
          changed[at] = value & 255;
          judge(`${at}: ${value}`, changed);
        }
      }
      for (let size = 0; size <= whole.length - 9; size += 1) {
        const shorter = Buffer.from(whole.subarray(0, 9 + size));
        judge(`${size} of the body`, shorter);
        shorter.writeInt32BE(size, 5);
        judge(`a body of ${size}`, shorter);
      }
      for (let end = 1; end < 9; end += 1) judge(`${end} bytes`, whole.subarray(0, end));
      expect(judged, `${likeness} ${index}`).toEqual(expected);
    }
  }
});

test('of a body 256 MiB are believed', () => {
  const bytes = Buffer.from(CLIENT[0] as Buffer);
  bytes.writeInt32BE(2 ** 28, 5);
  expect(lengthOf(SIDE.client, bytes)).toBe(2 ** 28 + 9);
  bytes.writeInt32BE(2 ** 28 + 1, 5);
  expect(lengthOf(SIDE.client, bytes)).toBe(0);
});

/** CRC-24 as section 2.2 of version 5 has it, on the bits of the three bytes of a header, the least first. */
function crc24(head: number): number {
  let crc = 0x875060;
  for (const byte of [head & 255, (head >> 8) & 255, (head >> 16) & 255]) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x800000 ? ((crc << 1) ^ 0x1974f0b) & 0xffffff : crc << 1;
  }
  return crc;
}

test('segments of version 5 are known by the checksum of their header, and by the frame in them', () => {
  for (const [side, version, likeness] of [
    [SIDE.client, 5, 'client'],
    [SIDE.server, 0x85, 'server'],
  ] as const) {
    const head = 100 | (1 << 17);
    const crc = crc24(head);
    const bytes = Buffer.of(
      head & 255,
      (head >> 8) & 255,
      head >> 16,
      crc & 255,
      (crc >> 8) & 255,
      crc >> 16,
      version,
      0,
    );
    const other = side === SIDE.client ? SIDE.server : SIDE.client;
    expect(segmentBegins(side, within(bytes), 2, 10)).toBe(true);
    expect(segmentBegins(other, within(bytes), 2, 10)).toBe(false);
    expect(segmentBegins(side, within(bytes), 2, 8)).toBeUndefined();
    expect(segmentBegins(side, within(bytes), 2, 7)).toBeUndefined();
    expect([7, 8].map((end) => isSegment(within(bytes), 2, end))).toEqual([false, true]);
    expect(cqlLikeness(within(bytes), 2, 10)).toBe(likeness);
    for (let bit = 0; bit < 48; bit += 1) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect([segmentBegins(side, within(damaged), 2, 10), isSegment(within(damaged), 2, 10)], `bit ${bit}`).toEqual([
        false,
        false,
      ]);
    }
  }
});
