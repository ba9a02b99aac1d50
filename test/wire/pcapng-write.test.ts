import { expect, test } from 'vitest';
import { BLOCK, OPTION } from '../../src/wire/pcapng.ts';
import { BlockFramer, type BlockView, forEachOption, interfaceName } from '../../src/wire/pcapng-read.ts';
import {
  endMarker,
  enhancedPacketBytes,
  interfaceDescription,
  interfaceStatistics,
  nameResolution,
  withComment,
  writeEnhancedPacket,
} from '../../src/wire/pcapng-write.ts';
import { captureFrames } from '../support/capture-file.ts';
import { describe, header } from '../support/pcapng-sample.ts';
import { Random } from '../support/random.ts';

/** Frames one block behind a section header, and reads its options. */
function optionsOf(encoded: Uint8Array, start: number): [code: number, value: Buffer][] {
  const options: [number, Buffer][] = [];
  const take = (block: BlockView) => {
    if (block.type === BLOCK.sectionHeader) return;
    forEachOption(block, block.offset + start, (code, at, length) => {
      options.push([code, Buffer.from(block.bytes.slice(at, at + length))]);
    });
  };
  const framer = new BlockFramer(take);
  framer.push(Buffer.concat([header(), encoded]));
  expect(framer.pending).toBe(0);
  return options;
}

const description = (fields: object) =>
  interfaceDescription({ linkType: 276, snaplen: 96, name: 'a', description: 'b', ...fields });

test('packets of any length, with and without flags, are read again by another reader', () => {
  const random = new Random(21);
  const packets = Array.from({ length: 300 }, (_, index) => {
    const bytes = Buffer.from(Array.from({ length: random.below(200) }, () => random.below(256)));
    const time = (BigInt(random.below(2 ** 31)) << 32n) | BigInt(random.below(2 ** 32));
    return { interfaceId: index % 2, bytes, origlen: bytes.length + random.below(3), time, flags: index % 3 };
  });
  // Rubbish where they are written: every byte, padding included, must be set.
  const target = Buffer.alloc(100_000, 0xee);
  const view = new DataView(target.buffer, target.byteOffset);
  let end = 0;
  for (const { interfaceId, bytes, origlen, time, flags } of packets) {
    const start = end;
    const data = Buffer.concat([Buffer.from('xx'), bytes]);
    const [high, low] = [Number(time >> 32n), Number(time & 0xffff_ffffn)];
    end = writeEnhancedPacket(target, view, end, interfaceId, high, low, bytes.length, origlen, flags, data, 2);
    expect(end - start).toBe(enhancedPacketBytes(bytes.length, flags !== 0));
    const padding = target.subarray(start + 28 + bytes.length, start + 28 + ((bytes.length + 3) & ~3));
    expect(padding.every((byte) => byte === 0)).toBe(true);
  }
  expect(target.subarray(end).every((byte) => byte === 0xee)).toBe(true);
  const file = Buffer.concat([header(), describe('a'), describe('b'), target.subarray(0, end)]);
  const read = captureFrames(file)?.map(({ interfaceId, bytes, origlen, time, flags }) => {
    return { interfaceId, bytes, origlen, time, flags };
  });
  expect(read).toEqual(packets);
});

test('an interface has its name, what it is, nanoseconds and its filter', () => {
  const options = optionsOf(description({ name: 'shop/wéb/any', filter: 'tcp' }), 16);
  expect(options.map(([code, value]) => [code, value.toString()])).toEqual([
    [OPTION.ifName, 'shop/wéb/any'],
    [OPTION.ifDescription, 'b'],
    [OPTION.ifTsresol, '\t'],
    [OPTION.ifFilter, '\0tcp'],
  ]);
});

test('a filter or comment longer than an option can be is cut behind a whole character', () => {
  const long = 'é'.repeat(40_000);
  const options = new Map(optionsOf(description({ filter: long, description: long }), 16));
  // An odd number of bytes holds 32,767 of them and the byte in front of the filter, or none.
  expect(options.get(OPTION.ifFilter)?.toString()).toBe(`\0${'é'.repeat(32_767)}`);
  expect(options.get(OPTION.ifDescription)?.toString()).toBe('é'.repeat(32_767));
  const commented = withComment(description({}), 'x'.repeat(70_000));
  const comment = optionsOf(commented, 16).find(([code]) => code === OPTION.comment);
  expect(comment?.[1]).toHaveLength(0xffff);
});

test('a comment joins the options that are there', () => {
  for (const text of ['', 'a', 'abcd', 'ein Loch ☃']) {
    const before = description({ filter: 'tcp' });
    const commented = withComment(before, text);
    expect(optionsOf(commented, 16)).toEqual([...optionsOf(before, 16), [OPTION.comment, Buffer.from(text)]]);
    expect(interfaceName(commented, 0, commented.length)).toBe('a');
  }
});

test('statistics: times with the high word first, counts as 64 bits', () => {
  const time = 1_700_000_000_123_456_789n;
  const encoded = Buffer.from(
    interfaceStatistics({
      ...{ interfaceId: 3, time, startTime: time - 1n, endTime: time },
      ...{ received: 2 ** 40 + 7, droppedByKernel: 2, captured: 2 ** 40 + 5 },
    }),
  );
  const readTime = (bytes: Buffer) => (BigInt(bytes.readUInt32LE(0)) << 32n) | BigInt(bytes.readUInt32LE(4));
  expect(encoded.readUInt32LE(8)).toBe(3);
  expect(readTime(encoded.subarray(12))).toBe(time);
  const options = new Map(optionsOf(encoded, 20));
  expect(readTime(options.get(OPTION.isbStartTime) ?? Buffer.alloc(8))).toBe(time - 1n);
  expect(readTime(options.get(OPTION.isbEndTime) ?? Buffer.alloc(8))).toBe(time);
  expect(options.get(OPTION.isbFilterAccept)?.readBigUInt64LE()).toBe(2n ** 40n + 7n);
  expect(options.get(OPTION.isbOsDrop)?.readBigUInt64LE()).toBe(2n);
  expect(options.get(OPTION.isbUsrDeliv)?.readBigUInt64LE()).toBe(2n ** 40n + 5n);
});

test.each([
  ['10.0.0.1', '0a000001'],
  ['::', '00000000000000000000000000000000'],
  ['::1', '00000000000000000000000000000001'],
  ['fd00::', 'fd000000000000000000000000000000'],
  ['2001:db8:0:1::a', '20010db800000001000000000000000a'],
  ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
  ['::ffff:10.0.0.1', '00000000000000000000ffff0a000001'],
  ['fe80::1%eth0', 'fe800000000000000000000000000001'],
])('the name of %s', (address, hex) => {
  const encoded = Buffer.from(nameResolution([{ address, names: ['shop/web', 'web.shop'] }]));
  const length = hex.length / 2;
  expect(encoded.readUInt16LE(8)).toBe(length === 4 ? 1 : 2);
  expect(encoded.readUInt16LE(10)).toBe(length + 'shop/web\0web.shop\0'.length);
  expect(encoded.toString('hex', 12, 12 + length)).toBe(hex);
  expect(encoded.toString('utf8', 12 + length, 12 + length + 18)).toBe('shop/web\0web.shop\0');
});

test('the end marker is JSON of any length, in a block of whole words', () => {
  for (const reason of ['', 'a', 'ab', 'abc', 'ü☃']) {
    const encoded = Buffer.from(endMarker({ reason }));
    expect(encoded.length % 4).toBe(0);
    expect(encoded.readUInt32LE(0)).toBe(BLOCK.ksnoopEnd);
    expect(JSON.parse(encoded.toString('utf8', 8, encoded.length - 4))).toEqual({ reason });
  }
});
