import { expect, test } from 'vitest';
import { PcapFramer } from '../../src/wire/pcap-read.ts';
import { PCAP_RECORD_BYTES, pcapFileHeader, writePcapRecordHeader } from '../../src/wire/pcap-write.ts';
import { captureFrames } from '../support/capture-file.ts';
import { Random } from '../support/random.ts';

function record(time: bigint, caplen: number, origlen: number): Buffer {
  const bytes = Buffer.alloc(PCAP_RECORD_BYTES + caplen, 0xab);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  writePcapRecordHeader(view, Number(time >> 32n), Number(time & 0xffff_ffffn), caplen, origlen);
  return bytes;
}

/** Up to 2106, where the format's seconds end; around every place where a carry may go wrong. */
function times(): bigint[] {
  const random = new Random(17);
  const random32 = () => BigInt(random.below(2 ** 32));
  const edges = [0n, 1n, 10n ** 9n, 1n << 32n, 1n << 48n, 1_700_000_000n * 10n ** 9n, (2n ** 32n - 1n) * 10n ** 9n];
  return [
    ...edges.flatMap((edge) => (edge === 0n ? [0n] : [edge - 1n, edge, edge + 1n])),
    ...Array.from({ length: 20_000 }, () => random32() * 10n ** 9n + BigInt(random.below(1e9))),
  ];
}

test('a time is divided to the nanosecond, whatever it is', () => {
  const wrong = times().filter((time) => {
    const bytes = record(time, 0, 0);
    return BigInt(bytes.readUInt32LE(0)) * 10n ** 9n + BigInt(bytes.readUInt32LE(4)) !== time;
  });
  expect(wrong).toEqual([]);
});

test('what is written is read again, by our own reader and by another', () => {
  const packets = times()
    .slice(0, 500)
    .map((time, index) => ({ time, caplen: index % 70, origlen: (index % 70) + (index % 3) * 1_000 }));
  const file = Buffer.concat([
    pcapFileHeader(276, 65_535),
    ...packets.map(({ time, caplen, origlen }) => record(time, caplen, origlen)),
  ]);
  const ours: typeof packets = [];
  const framer = new PcapFramer({
    header: (header) =>
      expect(header).toEqual({
        linkType: 276,
        snaplen: 65_535,
        nanoseconds: true,
        littleEndian: true,
        recordHeader: 16,
      }),
    packet: (seconds, nanoseconds, caplen, origlen) => {
      ours.push({ time: BigInt(seconds) * 10n ** 9n + BigInt(nanoseconds), caplen, origlen });
    },
  });
  framer.push(file);
  expect(framer.consumed).toBe(file.length);
  expect(ours).toEqual(packets);
  const theirs = captureFrames(file)?.map(({ time, bytes, origlen }) => ({ time, caplen: bytes.length, origlen }));
  expect(theirs).toEqual(packets);
});
