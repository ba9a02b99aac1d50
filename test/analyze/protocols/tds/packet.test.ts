import { describe, expect, test } from 'vitest';
import {
  behindHeaders,
  isFirst,
  isLast,
  isRecord,
  messageBegins,
  tdsLength,
  tdsLikeness,
  u16le,
  u32le,
} from '../../../../src/analyze/protocols/tds/packet.ts';
import { SIDE } from '../../../../src/analyze/record/event.ts';

type Side = typeof SIDE.client | typeof SIDE.server;

/** A packet (MS-TDS, section 2.2.3): its type, and its payload. */
function packet(type: number, payload: Buffer, { status = 1, number = 1 } = {}): Buffer {
  const header = Buffer.of(type, status, 0, 0, 0, 0, number, 0);
  header.writeUInt16BE(8 + payload.length, 2);
  return Buffer.concat([header, payload]);
}
const words = (...values: number[]) => Buffer.concat(values.map((value) => Buffer.of(value & 255, value >> 8)));
const long = (value: number) => words(value & 0xffff, value >>> 16);
/** All headers with the transaction's (section 2.2.5.3.2). */
const headers = Buffer.concat([long(22), long(18), words(2), Buffer.alloc(8), long(1)]);
const utf16 = (text: string) => Buffer.from(text, 'utf16le');
/** Options of a PRELOGIN: the version first, at an offset behind them. */
const prelogin = Buffer.concat([Buffer.of(0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff), Buffer.of(16, 0, 7, 0, 0, 0, 0)]);
const login = Buffer.concat([long(200), Buffer.of(4, 0, 0, 0x74), Buffer.alloc(192)]);
const record = Buffer.of(0x17, 3, 3, 0, 40, ...Array<number>(40).fill(9));

const CLIENT: readonly Buffer[] = [
  packet(0x01, Buffer.concat([headers, utf16('SELECT 1')])),
  packet(0x03, Buffer.concat([headers, words(0xffff, 10), Buffer.alloc(9)])),
  packet(0x03, Buffer.concat([headers, words(6), utf16('sp_who'), Buffer.alloc(3)])),
  packet(0x0e, Buffer.concat([headers, words(5), Buffer.alloc(4)])),
  packet(0x10, login),
  packet(0x12, prelogin),
  packet(0x12, Buffer.concat([Buffer.of(0x16, 3, 1, 0, 40), Buffer.alloc(40)])),
];
const SERVER: readonly Buffer[] = [
  packet(0x04, prelogin),
  packet(0x04, Buffer.concat([Buffer.of(0xfd), words(0x10, 0xc1), long(1), long(0)])),
  packet(0x04, Buffer.concat([Buffer.of(0x81), words(1, 0, 0), Buffer.alloc(20)])),
  packet(0x04, Buffer.concat([Buffer.of(0xe3), words(27), Buffer.alloc(27)])),
  packet(0x04, Buffer.concat([Buffer.of(0xaa), words(40), Buffer.alloc(40)])),
  packet(0x04, Buffer.concat([Buffer.of(0x79), long(0), Buffer.alloc(9)])),
];

/** The length of what lies here, by section 2.2.3.1 and RFC 8446, section 5.1. */
function lengthBySpecification(side: Side, bytes: Buffer): number | undefined {
  if (bytes[0] !== undefined && [20, 21, 22, 23].includes(bytes[0])) {
    if (bytes.length < 5) return undefined;
    const length = bytes.readUInt16BE(3);
    return bytes[1] === 3 && length >= 1 && length <= 2 ** 14 + 2048 ? 5 + length : 0;
  }
  const sent = side === SIDE.client ? [1, 3, 6, 7, 8, 14, 16, 17, 18] : [4, 18];
  if (!sent.includes(bytes[0] ?? -1)) return 0;
  if (bytes.length < 8) return undefined;
  const length = bytes.readUInt16BE(2);
  return (bytes[1] ?? 0) < 32 && bytes[7] === 0 && length >= 8 && length <= 32_768 ? length : 0;
}

/** Whether a message begins, by what sections 2.2.5 to 2.2.7 state of its first bytes. */
function beginsBySpecification(side: Side, bytes: Buffer): boolean | undefined {
  const type = bytes[0] ?? 0;
  if (type >= 20 && type <= 23) return false;
  const length = lengthBySpecification(side, bytes);
  if (length === undefined) return undefined;
  if (length === 0 || (bytes[6] ?? 0) > 1) return false;
  if (bytes.length < Math.min(length, 40)) return undefined;
  const payload = bytes.subarray(8, length);
  // What is not there yet contradicts nothing; 32 bytes are looked at.
  const there = Buffer.alloc(Math.max(600, payload.length));
  bytes.copy(there, 0, 8);
  const size = length - 8;
  const looked = Math.min(size, 32);
  const hasHeaders = () => {
    const total = there.readUInt32LE(0);
    return (
      total > 9 &&
      total < 513 &&
      there.readUInt32LE(4) > 5 &&
      there.readUInt32LE(4) + 4 <= total &&
      [1, 2, 3].includes(there.readUInt16LE(8))
    );
  };
  const isLetter = (at: number) =>
    at + 2 > looked ||
    [9, 10, 13].includes(there.readUInt16LE(at)) ||
    (there.readUInt16LE(at) > 31 && there.readUInt16LE(at) < 127);
  const isPrelogin =
    size > 11 &&
    there[0] === 0 &&
    there.readUInt16BE(3) === 6 &&
    there.readUInt16BE(1) > 5 &&
    there.readUInt16BE(1) + 6 <= size;
  switch (type) {
    case 1:
      return size > 24 && hasHeaders() && isLetter(there.readUInt32LE(0));
    case 3: {
      if (size <= 24 || !hasHeaders()) return false;
      const at = there.readUInt32LE(0);
      if (at + 4 > looked) return true;
      const name = there.readUInt16LE(at);
      if (name === 0xffff) return there.readUInt16LE(at + 2) > 0 && there.readUInt16LE(at + 2) < 16;
      return name > 0 && name < 1047 && isLetter(at + 2);
    }
    case 14:
      return size > 23 && hasHeaders();
    case 16:
      return size > 31 && there.readUInt32LE(0) < 65_536 && [0x70, 0x71, 0x72, 0x73, 0x74].includes(there[7] ?? 0);
    case 18:
      return isPrelogin || (size > 5 && there[0] === 0x16 && there[1] === 3);
    case 4: {
      if (isPrelogin) return true;
      if (size < 5) return false;
      const of = there.readUInt16LE(1);
      switch (there[0]) {
        case 0xfd:
        case 0xfe:
        case 0xff:
          return size > 8 && (of & 0xfecc) === 0;
        case 0x79:
          return size > 13;
        case 0x81:
          return of === 0xffff || (of > 0 && of < 1025);
        case 0xa9:
        case 0xaa:
        case 0xab:
        case 0xad:
        case 0xe3:
          return of > 0 && of + 3 <= Math.max(size, 4096);
        default:
          return false;
      }
    }
    default:
      return false;
  }
}

/** Read where other bytes precede and follow. */
const within = (bytes: Buffer) => Buffer.concat([Buffer.of(1, 2), bytes, Buffer.alloc(700)]);
const begins = (side: Side, bytes: Buffer) => messageBegins(side, within(bytes), 2, 2 + bytes.length);
const lengthOf = (side: Side, bytes: Buffer) => tdsLength(side, within(bytes), 2, 2 + bytes.length);

test('messages of either side begin, and are undecided before; every first bytes with any one of them changed are judged by the specification', () => {
  for (const [side, messages, likeness] of [
    [SIDE.client, CLIENT, 'client'],
    [SIDE.server, SERVER, 'server'],
  ] as const) {
    for (const [index, message] of messages.entries()) {
      expect(begins(side, message), `${likeness} ${index}`).toBe(true);
      expect(lengthOf(side, message)).toBe(message.length);
      for (let end = 1; end < Math.min(40, message.length); end += 1) {
        expect(begins(side, message.subarray(0, end))).toBeUndefined();
        expect(lengthOf(side, message.subarray(0, end))).toBe(end < 8 ? undefined : message.length);
      }
      const isHandshake = message[0] === 0x12 && message[8] === 0x16;
      expect(tdsLikeness(within(message), 2, 2 + message.length)).toBe(isHandshake ? 'either' : likeness);
      const judged: unknown[] = [];
      const expected: unknown[] = [];
      for (let at = 0; at < Math.min(40, message.length); at += 1) {
        const was = message[at] ?? 0;
        const others = [
          0,
          1,
          2,
          3,
          4,
          5,
          6,
          7,
          8,
          9,
          10,
          13,
          15,
          16,
          31,
          32,
          64,
          126,
          127,
          128,
          255,
          was + 1,
          was - 1,
          was + 4,
          was ^ 16,
        ];
        for (const value of at === 0 || at === 8 ? Array.from({ length: 256 }, (_, every) => every) : others) {
          const changed = Buffer.from(message);
          changed[at] = value & 255;
          for (const of of [SIDE.client, SIDE.server] as const) {
            judged.push([at, value, of, begins(of, changed), lengthOf(of, changed)]);
            expected.push([at, value, of, beginsBySpecification(of, changed), lengthBySpecification(of, changed)]);
          }
        }
      }
      expect(judged, `${likeness} ${index}`).toEqual(expected);
    }
  }
});

describe('lengths at their bounds', () => {
  test.each([
    [packet(0x01, Buffer.alloc(0)), 8],
    [packet(0x01, Buffer.alloc(32_760)), 32_768],
    [packet(0x01, Buffer.alloc(32_761)), 0],
    [packet(0x01, Buffer.alloc(4), { status: 0x1f }), 12],
    [packet(0x01, Buffer.alloc(4), { status: 0x20 }), 0],
    [Buffer.of(0x17, 3, 3, 0x48, 0), 5 + 0x4800],
    [Buffer.of(0x17, 3, 3, 0x48, 1), 0],
    [Buffer.of(0x14, 3, 1, 0, 1), 6],
    [Buffer.of(0x17, 3, 3, 0, 0), 0],
    [Buffer.of(0x17, 2, 3, 0, 1), 0],
    [Buffer.of(0x17, 3, 3, 0), undefined],
    [Buffer.of(0x13, 3, 3, 0, 1), 0],
    [Buffer.of(0x18, 3, 3, 0, 1), 0],
  ])('%#', (bytes, length) => {
    expect(lengthOf(SIDE.client, bytes)).toBe(length);
  });

  test('of payloads each message has a least', () => {
    const cut = (message: Buffer, payload: number) => packet(message[0] ?? 0, message.subarray(8, 8 + payload));
    for (const [side, messages] of [
      [SIDE.client, CLIENT],
      [SIDE.server, SERVER],
    ] as const) {
      for (const message of messages) {
        for (let payload = 0; payload + 8 <= Math.min(80, message.length); payload += 1) {
          const shorter = cut(message, payload);
          expect(begins(side, shorter), `${message[0]}: ${payload}`).toBe(beginsBySpecification(side, shorter));
        }
      }
    }
  });
});

test('first and last packets of a message, and where a request begins behind its headers', () => {
  expect([0, 1, 2].map((number) => isFirst(packet(1, headers, { number }), 0))).toEqual([true, true, false]);
  expect([0, 1, 8, 9].map((status) => isLast(packet(1, headers, { status }), 0))).toEqual([false, true, false, true]);
  expect([0x13, 0x14, 0x17, 0x18].map((first) => isRecord(Buffer.of(0, first), 1))).toEqual([false, true, true, false]);
  const bytes = Buffer.concat([Buffer.of(7), headers, utf16('SELECT')]);
  expect(behindHeaders(bytes, 1, bytes.length)).toBe(23);
  expect(behindHeaders(bytes, 1, 23)).toBe(23);
  expect(behindHeaders(bytes, 1, 22)).toBe(1);
  expect(behindHeaders(utf16('SELECT a FROM b WHERE c'), 0, 46)).toBe(0);
  const longer = Buffer.concat([long(100), headers.subarray(4), Buffer.alloc(10)]);
  expect(behindHeaders(longer, 0, longer.length)).toBe(longer.length);
  expect([u16le(Buffer.from('010203', 'hex'), 1), u32le(Buffer.from('0001020384', 'hex'), 1)]).toEqual([
    0x0302, 0x84030201,
  ]);
  expect(messageBegins(SIDE.client, record, 0, record.length)).toBe(false);
});
