// Where reading stands, and the numbers of interfaces, over several files.
import { expect, test } from 'vitest';
import { CaptureFramer } from '../../src/wire/capture-read.ts';
import { builtPcap, builtPcapng } from '../support/built-capture.ts';

interface Seen {
  readonly id: number;
  readonly record: readonly [offset: number, length: number];
  readonly payload: string;
}

function reader() {
  const packets: Seen[] = [];
  const interfaces: [id: number, linkType: number, name: string][] = [];
  const framer: CaptureFramer = new CaptureFramer({
    interface: (id, { linkType, name }) => void interfaces.push([id, linkType, name]),
    packet: (bytes, offset, caplen, _origlen, _high, _low, id) => {
      packets.push({
        id,
        record: [framer.recordOffset, framer.recordLength],
        payload: Buffer.from(bytes.subarray(offset, offset + caplen))
          .toString('latin1')
          .slice(-4),
      });
    },
  });
  return { framer, packets, interfaces };
}

const segment = { side: 0, sequence: 1, flags: '.' } as const;
const PCAP = builtPcap([
  { ...segment, payload: 'aaaa', at: 1 },
  { ...segment, payload: 'bbbb', at: 2 },
]);
const PCAPNG = builtPcapng([{ ...segment, payload: 'cccc', at: 3 }], ['eth0']);

test('the record of a packet is where it lies in the bytes, header and all', () => {
  const { framer, packets } = reader();
  framer.push(PCAP);
  const length = (PCAP.length - 24) / 2;
  expect(packets.map(({ record }) => record)).toEqual([
    [24, length],
    [24 + length, length],
  ]);
  const other = reader();
  other.framer.push(PCAPNG);
  const [seen] = other.packets;
  const [offset, size] = seen?.record ?? [0, 0];
  expect(PCAPNG.readUInt32LE(offset)).toBe(6);
  expect(PCAPNG.readUInt32LE(offset + 4)).toBe(size);
  expect(PCAPNG.readUInt32LE(offset + size - 4)).toBe(size);
});

test('how far was read, and what of a record has come, is known at every byte', () => {
  for (const file of [PCAP, PCAPNG]) {
    const { framer } = reader();
    for (let at = 0; at < file.length; at += 1) {
      framer.push(file.subarray(at, at + 1));
      expect(framer.consumed + framer.pending).toBe(at + 1);
    }
    expect([framer.consumed, framer.pending]).toEqual([file.length, 0]);
  }
});

test('a file of another link type is another interface, one of the same goes on as the same', () => {
  const raw = Buffer.from(PCAP);
  raw.writeUInt32LE(113, 20);
  for (const goesOn of [true, false]) {
    const { framer, packets, interfaces } = reader();
    const first = PCAP.readUInt32LE(20);
    for (const file of [PCAP, raw, PCAP]) {
      framer.push(file);
      framer.nextFile(goesOn);
    }
    const third = goesOn ? 0 : 2;
    expect(interfaces).toEqual([
      [0, first, ''],
      [1, 113, ''],
      [third, first, ''],
    ]);
    expect(packets.map(({ id }) => id)).toEqual([0, 0, 1, 1, third, third]);
    expect(framer.packets).toBe(6);
  }
});

test('the same interface twice in one file has two numbers, and again in the file that continues it', () => {
  const { framer, interfaces } = reader();
  const twice = builtPcapng([{ ...segment, payload: 'dddd', at: 1 }], ['eth0', 'eth0', 'eth1']);
  framer.push(twice);
  framer.nextFile(true);
  framer.push(twice);
  expect(interfaces.map(([id]) => id)).toEqual([0, 1, 2, 0, 1, 2]);
});

test('the time of the last packet is that of the capture, and 0 before any', () => {
  const { framer } = reader();
  expect(framer.lastTime).toBe(0n);
  framer.push(PCAP);
  const seconds = BigInt(PCAP.readUInt32LE(24 + (PCAP.length - 24) / 2));
  expect(framer.lastTime / 1_000_000_000n).toBe(seconds);
});
