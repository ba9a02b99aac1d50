import { expect, test } from 'vitest';
import { PcapFramer } from '../../src/wire/pcap-read.ts';
import { Random } from '../support/random.ts';

const random = new Random(11);

function pcap(littleEndian: boolean, nanoseconds: boolean, count: number): Buffer {
  const header = Buffer.alloc(24);
  const word = (target: Buffer, value: number, at: number) =>
    littleEndian ? target.writeUInt32LE(value, at) : target.writeUInt32BE(value, at);
  word(header, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, 0);
  word(header, 65_535, 16);
  word(header, 276, 20);
  const records = Array.from({ length: count }, (_, index) => {
    const caplen = random.below(400);
    const record = Buffer.alloc(16 + caplen, index);
    [1_700_000_000 + index, index, caplen, caplen + 10].forEach((value, place) => {
      word(record, value, place * 4);
    });
    return record;
  });
  return Buffer.concat([header, ...records]);
}

function framesOf(chunks: Iterable<Uint8Array>): string[] {
  const frames: string[] = [];
  const framer = new PcapFramer({
    header: ({ linkType, snaplen }) => frames.push(`link ${linkType} snaplen ${snaplen}`),
    packet: (seconds, nanoseconds, caplen, origlen, bytes, offset) =>
      frames.push(
        `${seconds}.${nanoseconds} ${caplen}/${origlen} ${bytes[offset] ?? ''} ${bytes[offset + caplen - 1] ?? ''}`,
      ),
  });
  for (const chunk of chunks) framer.push(chunk);
  expect(framer.pending).toBe(0);
  return frames;
}

function* cut(bytes: Buffer, longest: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + random.below(longest);
    yield Uint8Array.from(bytes.subarray(at, at + length));
    at += length;
  }
}

test.each([
  [true, true],
  [true, false],
  [false, true],
  [false, false],
])('the same packets however it is cut (little-endian %s, nanoseconds %s)', (littleEndian, nanoseconds) => {
  const bytes = pcap(littleEndian, nanoseconds, 100);
  const whole = framesOf([bytes]);
  expect(whole[0]).toBe('link 276 snaplen 65535');
  expect(whole[8]).toMatch(nanoseconds ? /^1700000007\.7 / : /^1700000007\.7000 /);
  for (const longest of [1, 15, 17, 1_000]) expect(framesOf(cut(bytes, longest))).toEqual(whole);
});

test.each([true, false])(
  "Kuznetzov's records, with their longer headers, however they are cut (little-endian %s)",
  (littleEndian) => {
    const plain = pcap(littleEndian, false, 60);
    const parts: Buffer[] = [Buffer.from(plain.subarray(0, 24))];
    littleEndian ? parts[0]?.writeUInt32LE(0xa1b2cd34, 0) : parts[0]?.writeUInt32BE(0xa1b2cd34, 0);
    for (let at = 24; at < plain.length; ) {
      const caplen = littleEndian ? plain.readUInt32LE(at + 8) : plain.readUInt32BE(at + 8);
      parts.push(
        plain.subarray(at, at + 16),
        Buffer.from('0000000308000400', 'hex'),
        plain.subarray(at + 16, at + 16 + caplen),
      );
      at += 16 + caplen;
    }
    const bytes = Buffer.concat(parts);
    const expected = framesOf([plain]);
    for (const longest of [bytes.length, 1, 15, 25, 1_000]) expect(framesOf(cut(bytes, longest))).toEqual(expected);
  },
);

test('damage names its byte', () => {
  const bytes = pcap(true, true, 1);
  const bad = Buffer.concat([bytes, Buffer.alloc(16, 0xff)]);
  expect(() => framesOf([bad])).toThrow(
    expect.objectContaining({ code: 'DAMAGED_PCAP', message: expect.stringContaining(`byte ${bytes.length}`) }),
  );
  expect(() => framesOf([Buffer.alloc(24)])).toThrow(/not a pcap stream/);
});
