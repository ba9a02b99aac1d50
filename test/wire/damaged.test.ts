// Any bytes are an input: blocks and records, or an error that names the byte; never a hang, never memory for a claim.
import { expect, test } from 'vitest';
import { BLOCK_MAXIMUM } from '../../src/wire/limits.ts';
import { PcapFramer } from '../../src/wire/pcap-read.ts';
import { pcapFileHeader } from '../../src/wire/pcap-write.ts';
import { BlockFramer, forEachOption, interfaceName, isLastStatistics } from '../../src/wire/pcapng-read.ts';
import { describe, end, header, names, packet, statistics } from '../support/pcapng-sample.ts';
import { Random } from '../support/random.ts';

interface Framer {
  readonly consumed: number;
  readonly pending: number;
  push(chunk: Uint8Array): void;
}

function inside(end: number, bound: number): void {
  if (end > bound) throw new Error(`${end} is outside of ${bound}`);
}

/** Reads everything that a block says of itself. */
function pcapngFramer(): Framer {
  return new BlockFramer((block) => {
    const { bytes, offset, length } = block;
    inside(offset + length, bytes.length);
    forEachOption(block, offset + 8, (_code, at, size) => inside(at + size, offset + length - 4));
    interfaceName(bytes, offset, length);
    isLastStatistics(bytes, offset, length);
  });
}

function pcapFramer(): Framer {
  return new PcapFramer({
    header: () => {},
    packet: (_seconds, _nanoseconds, caplen, _origlen, bytes, offset) => inside(offset + caplen, bytes.length),
  });
}

const record = Buffer.concat([Buffer.from([1, 0, 0, 0, 2, 0, 0, 0, 20, 0, 0, 0, 60, 0, 0, 0]), Buffer.alloc(20)]);
const FORMATS = [
  [
    'pcapng',
    pcapngFramer,
    Buffer.concat([header(), describe('a'), names(), packet(0, 1n, Buffer.alloc(50)), statistics(0, 2n, 2n), end()]),
  ],
  ['pcap', pcapFramer, Buffer.concat([pcapFileHeader(1, 65_535), record, record, record])],
] as const;

/** Reads to the end or to the first error: what there is to say of it. */
function outcome(framer: Framer, bytes: Uint8Array, size: number): string {
  try {
    for (let at = 0; at < bytes.length; at += size) framer.push(Uint8Array.from(bytes.subarray(at, at + size)));
  } catch (thrown) {
    expect(thrown).toMatchObject({
      code: expect.stringMatching(/^DAMAGED_PCAP(NG)?$/),
      message: expect.stringMatching(/ at byte \d+/),
    });
    return `${framer.consumed} ${thrown}`;
  }
  expect(framer.consumed + framer.pending).toBe(bytes.length);
  return `${framer.consumed}`;
}

test.each(FORMATS)('%s with bytes changed: the same however it is cut', (_, framer, whole) => {
  const random = new Random(31);
  const seen = new Set<boolean>();
  for (let round = 0; round < 3_000; round += 1) {
    const bytes = Buffer.from(whole.subarray(0, whole.length - random.below(3) * random.below(whole.length)));
    for (let count = random.below(4); count > 0; count -= 1) {
      bytes[random.below(bytes.length)] = [0, 0xff, random.below(256)][random.below(3)] ?? 0;
    }
    const once = outcome(framer(), bytes, bytes.length);
    seen.add(once.includes('damaged') || once.includes('no pcap'));
    for (const size of [1, 5, 64]) expect(outcome(framer(), bytes, size)).toBe(once);
  }
  expect([...seen].sort()).toEqual([false, true]);
});

test.each(FORMATS)('random bytes are no %s, which is said at once', (_, framer) => {
  const random = new Random(32);
  for (let round = 0; round < 500; round += 1) {
    const bytes = Uint8Array.from({ length: 24 + random.below(200) }, () => random.below(256));
    expect(outcome(framer(), bytes, 1 + random.below(50))).toMatch(/^0 .* byte 0/);
  }
});

test.each([
  ['pcapng', pcapngFramer, Buffer.concat([header(), words(6, BLOCK_MAXIMUM, 0)])],
  ['pcap', pcapFramer, Buffer.concat([pcapFileHeader(1, 65_535), words(1, 2, BLOCK_MAXIMUM, 0)])],
])('what %s claims is not believed before it is here, and never more than its bound', (format, framer, start) => {
  const reader = framer();
  const before = process.memoryUsage().arrayBuffers;
  reader.push(start);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
  expect(reader.pending).toBeGreaterThan(0);
  const chunk = new Uint8Array(1024 * 1024);
  let most = 0;
  // Zeros in all: the block does not end with its length, or the records behind it are empty.
  const push = () => {
    for (let count = 0; count < 18; count += 1) {
      reader.push(chunk);
      most = Math.max(most, reader.pending);
    }
  };
  if (format === 'pcapng') expect(push).toThrow(/does not end with its own length/);
  else push();
  expect(most).toBeGreaterThan(BLOCK_MAXIMUM - 2 * chunk.length);
  expect(most).toBeLessThanOrEqual(BLOCK_MAXIMUM + 16);
});

test.each([
  ['pcapng', pcapngFramer, Buffer.concat([header(), words(6, BLOCK_MAXIMUM + 4, 0)])],
  ['pcap', pcapFramer, Buffer.concat([pcapFileHeader(1, 65_535), words(1, 2, BLOCK_MAXIMUM + 1, 0)])],
])('a claim past the bound ends %s at once', (_, framer, bytes) => {
  for (const size of [1, bytes.length])
    expect(outcome(framer(), bytes, size)).toContain(String(BLOCK_MAXIMUM).slice(0, 6));
});

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    bytes.writeUInt32LE(value, index * 4);
  });
  return bytes;
}
