import { expect, test } from 'vitest';
import { PcapWriter } from '../../../src/run/convert/pcap-writer.ts';
import { PcapngWriter } from '../../../src/run/convert/pcapng-writer.ts';
import { packetSelection } from '../../../src/run/convert/selection.ts';
import type { CaptureWriter } from '../../../src/run/convert/writer.ts';
import { CaptureFramer } from '../../../src/wire/capture-read.ts';
import { describe, end, header, names, packet, statistics } from '../../support/pcapng-sample.ts';

const DATA = Buffer.from('0123456789abcdef');
/** Before 2³² ns and past it. */
const TIMES = [5n, 1_700_000_000_123_456_789n];
const PCAPNG = Buffer.concat([
  header(),
  describe('shop/web-1/any'),
  names(),
  ...TIMES.map((time) => packet(0, time, DATA, 1_000)),
  statistics(0, 9n, 9n),
  end(),
]);

/** A block of the other byte order: all its numbers, and those of its one option. */
function bigEndian(): Buffer {
  const section = Buffer.alloc(28, 0xff);
  for (const [value, at] of [
    [0x0a0d0d0a, 0],
    [28, 4],
    [0x1a2b3c4d, 8],
    [0x00010000, 12],
    [28, 24],
  ] as const) {
    section.writeUInt32BE(value, at);
  }
  const described = Buffer.alloc(20);
  for (const [value, at] of [
    [1, 0],
    [20, 4],
    [0x00010000, 8],
    [262_144, 12],
    [20, 16],
  ] as const) {
    described.writeUInt32BE(value, at);
  }
  // Head, data, epb_flags (code 2, length 4), the end of the options, length.
  const length = 28 + DATA.length + 8 + 4 + 4;
  const block = Buffer.alloc(length);
  for (const [value, at] of [
    [6, 0],
    [length, 4],
    [0, 8],
    [0, 12],
    [77, 16],
    [DATA.length, 20],
    [999, 24],
  ] as const) {
    block.writeUInt32BE(value, at);
  }
  DATA.copy(block, 28);
  block.writeUInt32BE(0x00020004, 28 + DATA.length);
  block.writeUInt32BE(2, 28 + DATA.length + 4);
  block.writeUInt32BE(length, length - 4);
  return Buffer.concat([section, described, block]);
}

/** The capture as a writer writes it, each packet cut to `snaplen`. */
function converted(
  source: Uint8Array,
  create: (push: (bytes: Uint8Array, at: number, length: number) => void) => CaptureWriter,
  snaplen = 1e9,
) {
  const parts: Buffer[] = [];
  const writer = create((bytes, at, length) => parts.push(Buffer.from(bytes.subarray(at, at + length))));
  const framer: CaptureFramer = new CaptureFramer({
    interface: (id, described) => writer.interface(id, described),
    block: (block) => writer.block(block),
    packet: (bytes, offset, captured, origlen, timeHigh, timeLow, interfaceId, flags) => {
      const caplen = Math.min(captured, snaplen);
      writer.packet({ bytes, offset, caplen, captured, origlen, timeHigh, timeLow, interfaceId, flags }, framer);
    },
  });
  framer.push(source);
  return { bytes: Buffer.concat(parts), omitted: writer.omitted };
}

const toPcapng = (source: Uint8Array, snaplen?: number) => converted(source, (push) => new PcapngWriter(push), snaplen);
const toPcap = (source: Uint8Array, snaplen?: number) => converted(source, (push) => new PcapWriter(push), snaplen);

/** Packets in words: bytes, length, time, flags. */
function packetsOf(capture: Uint8Array): string[] {
  const packets: string[] = [];
  const framer = new CaptureFramer({
    interface: () => {},
    packet: (bytes, offset, caplen, origlen, high, low, id, flags) => {
      const data = Buffer.from(bytes.subarray(offset, offset + caplen)).toString('latin1');
      packets.push(`${data} ${origlen} ${(BigInt(high) << 32n) | BigInt(low)} ${id} ${flags}`);
    },
  });
  framer.push(capture);
  expect(framer.pending).toBe(0);
  return packets;
}

test('pcapng stays as it is, block by block', () => {
  const { bytes, omitted } = toPcapng(PCAPNG);
  // But for the section's length, which is not known.
  expect(bytes.subarray(24).equals(PCAPNG.subarray(24))).toBe(true);
  expect(omitted).toBeUndefined();
});

test.each([0, 1, 3, 4, 7, 15, 16])('packets cut to %i bytes are whole blocks with their options', (snaplen) => {
  const kept = DATA.toString('latin1', 0, snaplen);
  expect(packetsOf(toPcapng(PCAPNG, snaplen).bytes)).toEqual(TIMES.map((time) => `${kept} 1000 ${time} 0 1`));
  expect(packetsOf(toPcapng(bigEndian(), snaplen).bytes)).toEqual([`${kept} 999 77000 0 2`]);
});

test.each([0, 1, 4, 15, 16])('pcap and back, cut to %i bytes', (snaplen) => {
  const { bytes, omitted } = toPcap(PCAPNG, snaplen);
  const kept = DATA.toString('latin1', 0, snaplen);
  const expected = TIMES.map((time) => `${kept} 1000 ${time} 0 0`);
  expect(packetsOf(bytes)).toEqual(expected);
  expect(omitted).toBe('the pcap form leaves out interface names, address names, comments and statistics');
  expect(packetsOf(toPcapng(bytes).bytes)).toEqual(expected);
});

test('pcap holds one link type: packets of others are left out and counted', () => {
  const two = Buffer.concat([header(), describe('a', 1), describe('b', 101), packet(0, 1n, DATA), packet(1, 2n, DATA)]);
  const { bytes, omitted } = toPcap(two);
  expect(packetsOf(bytes)).toHaveLength(1);
  expect(omitted).toContain("1 packet of another link type than the first's");
});

test('packets are chosen by time, both ends included', () => {
  const chosen = (...range: [from?: bigint, to?: bigint]) => {
    const [from, to] = range.map((nanoseconds) =>
      nanoseconds === undefined ? undefined : ({ kind: 'after', nanoseconds } as const),
    );
    const selection = packetSelection({ filter: undefined, from, to });
    // Past 2³² ns, so that both halves count.
    const first = 400n << 32n;
    return [0n, 10n, 20n, 1n << 32n].filter((after) => {
      const time = first + after;
      return selection?.wants(DATA, 0, 16, 16, Number(time >> 32n), Number(time & 0xffff_ffffn), 0) ?? true;
    });
  };
  const all = [0n, 10n, 20n, 1n << 32n];
  expect(chosen()).toEqual(all);
  expect(chosen(10n)).toEqual(all.slice(1));
  expect(chosen(11n)).toEqual(all.slice(2));
  expect(chosen(undefined, 20n)).toEqual(all.slice(0, 3));
  expect(chosen(10n, 19n)).toEqual([10n]);
});
