import { expect, test } from 'vitest';
import { BLOCK_MAXIMUM } from '../../src/wire/limits.ts';
import { BLOCK } from '../../src/wire/pcapng.ts';
import { BlockFramer, interfaceName, isLastStatistics } from '../../src/wire/pcapng-read.ts';
import { describe, end, header, names, packet, statistics } from '../support/pcapng-sample.ts';
import { Random } from '../support/random.ts';

const random = new Random(7);
const bytes = (length: number) => Uint8Array.from({ length }, () => random.below(256));

function sample(): Buffer {
  const packets = Array.from({ length: 200 }, (_, index) => packet(index % 2, BigInt(index), bytes(random.below(300))));
  return Buffer.concat([
    header(),
    describe('a/b/eth0'),
    describe('c'),
    names(),
    ...packets,
    statistics(0, 9n, 9n),
    end(),
  ]);
}

/** Types and contents of all blocks, however the bytes are cut. */
function blocksOf(chunks: Iterable<Uint8Array>): string[] {
  const blocks: string[] = [];
  const framer = new BlockFramer(({ type, bytes, offset, length }) => {
    blocks.push(`${type} ${Buffer.from(bytes.slice(offset, offset + length)).toString('hex')}`);
  });
  for (const chunk of chunks) framer.push(chunk);
  expect(framer.pending).toBe(0);
  return blocks;
}

function* cut(bytes: Buffer, longest: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + random.below(longest);
    // A copy: the framer may not rely on what comes after a chunk in memory.
    yield Uint8Array.from(bytes.subarray(at, at + length));
    at += length;
  }
}

test.each([1, 2, 13, 100, 5_000])('the same blocks from chunks of up to %i bytes as from one', (longest) => {
  const bytes = sample();
  const whole = blocksOf([bytes]);
  expect(whole).toHaveLength(206);
  expect(blocksOf(cut(bytes, longest))).toEqual(whole);
});

test.each([1_000, 65_536, 140_000, 256 * 1024, 1024 * 1024])(
  'blocks longer than a chunk, in chunks of %i bytes',
  (size) => {
    const long = Buffer.concat([
      header(),
      describe('a'),
      packet(0, 1n, bytes(250_000)),
      packet(0, 2n, bytes(700_000)),
      end(),
    ]);
    const chunks = Array.from({ length: Math.ceil(long.length / size) }, (_, index) =>
      Uint8Array.from(long.subarray(index * size, (index + 1) * size)),
    );
    expect(blocksOf(chunks)).toEqual(blocksOf([long]));
  },
);

test('both byte orders, also one after the other', () => {
  const big = Buffer.alloc(28 + 12);
  big.writeUInt32BE(BLOCK.sectionHeader, 0);
  big.writeUInt32BE(28, 4);
  big.writeUInt32BE(0x1a2b3c4d, 8);
  big.writeUInt32BE(28, 24);
  big.writeUInt32BE(0x80000001, 28);
  big.writeUInt32BE(12, 32);
  big.writeUInt32BE(12, 36);
  const orders: string[] = [];
  const framer = new BlockFramer(({ type, littleEndian }) => orders.push(`${type.toString(16)} ${littleEndian}`));
  framer.push(Buffer.concat([big, header(), describe('a'), big]));
  expect(orders).toEqual([
    'a0d0d0a false',
    '80000001 false',
    'a0d0d0a true',
    '1 true',
    'a0d0d0a false',
    '80000001 false',
  ]);
});

test.each([
  ['no section header', Buffer.from('hello, world, this is no capture'), 0],
  ['a length of 0', Buffer.concat([header(), Buffer.alloc(16)]), header().length],
  [
    'a length no multiple of 4',
    Buffer.concat([header(), Buffer.from([1, 0, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0, 0])]),
    header().length,
  ],
  ['a length past the bound', Buffer.concat([header(), lengthOf(BLOCK_MAXIMUM + 4)]), header().length],
  ['two lengths that differ', Buffer.concat([header(), lengthOf(16), Buffer.alloc(8)]), header().length],
])('%s is an error that names the byte', (_, bytes, at) => {
  for (const longest of [1, 1_000]) {
    const push = () => {
      const framer = new BlockFramer(() => {});
      for (const chunk of cut(bytes, longest)) framer.push(chunk);
    };
    expect(push).toThrow(
      expect.objectContaining({ code: 'DAMAGED_PCAPNG', message: expect.stringContaining(`byte ${at}`) }),
    );
  }
});

function lengthOf(total: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32LE(6, 0);
  bytes.writeUInt32LE(total, 4);
  return bytes;
}

test('a block that is cut off is pending', () => {
  const framer = new BlockFramer(() => {});
  framer.push(sample().subarray(0, -5));
  expect(framer.pending).toBeGreaterThan(0);
});

test('names of interfaces, and whether statistics are the last', () => {
  const block = describe('shop/web-1/eth0');
  const padding = Buffer.concat([Buffer.alloc(20), block]);
  expect(interfaceName(padding, 20, block.length)).toBe('shop/web-1/eth0');
  for (const [bytes, last] of [
    [statistics(0, 5n), false],
    [statistics(0, 5n, 6n), true],
  ] as const) {
    expect(isLastStatistics(bytes, 0, bytes.length)).toBe(last);
  }
});
