import { describe, expect, it } from 'vitest';
import { JOINING_WINDOW_MS, MERGE_BYTES, MERGE_WINDOW_LIMIT_MS, MERGE_WINDOW_MS } from '../../../src/capture/limits.ts';
import { type BlockSink, Merge } from '../../../src/capture/streams/merge.ts';
import type { MergeSource } from '../../../src/capture/streams/merge-source.ts';
import { MergeWait } from '../../../src/capture/streams/merge-wait.ts';
import { BLOCK } from '../../../src/wire/pcapng.ts';
import { interfaceName } from '../../../src/wire/pcapng-read.ts';
import * as sample from '../../support/pcapng-sample.ts';
import { Random } from '../../support/random.ts';

const SEED = 20_261_123;
const MS = 1_000_000n;
/** Away from a multiple of 2³²: the high word of the times changes on the way. */
const BASE = (400n << 32n) - 50n * MS;

interface Written {
  readonly type: number;
  readonly id: number;
  readonly time: bigint;
  readonly text: string;
}

/** Keeps what a merge writes; its clock stands until it is moved. */
class Collector implements BlockSink {
  readonly interfaces: string[] = [];
  readonly blocks: Written[] = [];
  clock = 0;
  readonly merge: Merge;

  constructor(wait?: MergeWait) {
    this.merge = new Merge(this, () => this.clock, false, wait);
  }

  addInterface(id: number, bytes: Uint8Array, offset: number, length: number): void {
    expect(id).toBe(this.interfaces.length);
    this.interfaces.push(interfaceName(bytes, offset, length));
  }

  write(type: number, id: number, bytes: Uint8Array, offset: number, length: number): void {
    const block = Buffer.from(bytes.buffer, bytes.byteOffset + offset, length);
    expect(block.readUInt32LE(0)).toBe(type);
    expect(block.readUInt32LE(4)).toBe(length);
    expect(block.readUInt32LE(8)).toBe(id);
    const time = (BigInt(block.readUInt32LE(12)) << 32n) | BigInt(block.readUInt32LE(16));
    const text = type === BLOCK.enhancedPacket ? block.toString('utf8', 28, 28 + block.readUInt32LE(20)) : '';
    this.blocks.push({ type, id, time, text });
  }

  get packets(): Written[] {
    return this.blocks.filter(({ type }) => type === BLOCK.enhancedPacket);
  }

  open(...names: string[]): MergeSource {
    const source = this.merge.addSource('node');
    source.push(Buffer.concat([sample.header(), ...names.map((name) => sample.describe(name))]));
    return source;
  }

  pass(milliseconds: number): void {
    this.clock += milliseconds;
    this.merge.release();
  }
}

function packet(interfaceId: number, time: bigint, text = ''): Uint8Array {
  return sample.packet(interfaceId, time, Buffer.from(text));
}

function ordered(packets: readonly Written[]): boolean {
  return packets.every(({ time }, index) => index === 0 || time >= (packets[index - 1]?.time ?? 0n));
}

describe('order', () => {
  it.each([1, 40, 3_000])('streams cut anywhere (up to %i bytes) come out as one, in order and whole', (longest) => {
    const random = new Random(SEED + longest);
    const collector = new Collector();
    const expected: string[] = [];
    const streams = Array.from({ length: 4 }, (_, node) => {
      const source = collector.open(`${node}/a`, `${node}/b`);
      const blocks: Uint8Array[] = [];
      let time = BASE + BigInt(random.below(1_000_000));
      for (let index = 0; index < 300; index += 1) {
        time += BigInt(random.below(1_000_000));
        const text = `${node}.${index} ${'x'.repeat(random.below(90))}`;
        expected.push(`${time} ${text}`);
        blocks.push(packet(random.below(2), time, text));
      }
      blocks.push(sample.statistics(0, time, time), sample.statistics(1, time, time), sample.end());
      return { source, bytes: Buffer.concat(blocks), at: 0 };
    });
    for (let left = streams; left.length > 0; left = left.filter(({ bytes, at }) => at < bytes.length)) {
      const stream = left[random.below(left.length)];
      if (stream === undefined) break;
      const length = 1 + random.below(longest);
      stream.source.push(Uint8Array.from(stream.bytes.subarray(stream.at, stream.at + length)));
      stream.at += length;
      if (stream.at >= stream.bytes.length) stream.source.end();
    }
    collector.pass(0);
    const { merge, packets, blocks } = collector;
    expect(merge.waitingBytes).toBe(0);
    expect(merge.late).toBe(0);
    expect(ordered(packets)).toBe(true);
    expect(packets.map(({ time, text }) => `${time} ${text}`).sort()).toEqual(expected.sort());
    // The interfaces' new numbers lead back to the stream each packet came from.
    for (const { id, text } of packets) expect(collector.interfaces[id]?.[0]).toBe(text[0]);
    expect(blocks.filter(({ type }) => type === BLOCK.interfaceStatistics)).toHaveLength(8);
    for (const { source } of streams) expect(source.endMarker).toBeDefined();
  });

  it('packets are in order even if an interface hands them over a little out of it', () => {
    const collector = new Collector();
    const source = collector.open('a', 'b', 'silent');
    source.push(packet(1, BASE + 2n, '2'));
    // The first of them is later than what waits, the next one earlier.
    for (const text of ['4', '1', '3']) source.push(packet(0, BASE + BigInt(text), text));
    expect(collector.packets).toEqual([]);
    source.end();
    collector.pass(0);
    expect(collector.packets.map(({ text }) => text)).toEqual(['1', '2', '3', '4']);
  });

  it('statistics stay behind the packets they speak of', () => {
    const collector = new Collector();
    const source = collector.open('a', 'b');
    source.push(Buffer.concat([packet(0, BASE + 50n * MS), sample.statistics(0, BASE), packet(0, BASE + 60n * MS)]));
    collector.merge.flush();
    expect(collector.blocks.map(({ type }) => type)).toEqual([
      BLOCK.enhancedPacket,
      BLOCK.interfaceStatistics,
      BLOCK.enhancedPacket,
    ]);
  });
});

describe('waiting', () => {
  it('statistics of an interface do not stand for its packets: those before them may still come', () => {
    const collector = new Collector();
    const [first, second] = [collector.open('a'), collector.open('b')];
    second.push(sample.statistics(0, BASE + 10n * MS));
    first.push(packet(0, BASE + 8n * MS, '2'));
    first.push(packet(0, BASE + 9n * MS, '3'));
    expect(collector.packets).toEqual([]);
    collector.pass(MERGE_WINDOW_MS - 1);
    second.push(packet(0, BASE + 2n * MS, '1'));
    // Now it waits for more of the second one, up to the window.
    collector.pass(2);
    expect(collector.packets.map(({ text }) => text)).toEqual(['1', '2', '3']);
    expect(collector.merge.late).toBe(0);
  });

  it('nobody waits for an interface of which statistics wait when its stream has ended', () => {
    const collector = new Collector();
    const [first, second] = [collector.open('a'), collector.open('b')];
    second.push(sample.statistics(0, BASE + 10n * MS));
    first.push(packet(0, BASE + 8n * MS, '1'));
    expect(collector.packets).toEqual([]);
    second.end();
    collector.pass(0);
    expect(collector.packets.map(({ text }) => text)).toEqual(['1']);
    first.push(packet(0, BASE + 9n * MS, '2'));
    expect(collector.packets.map(({ text }) => text)).toEqual(['1', '2']);
  });

  it('a packet waits for an interface that shows none, and no longer than the window', () => {
    const collector = new Collector();
    const [first, second] = [collector.open('a'), collector.open('b')];
    first.push(packet(0, BASE + 2n * MS, 'second'));
    collector.pass(MERGE_WINDOW_MS - 1);
    expect(collector.packets).toEqual([]);
    second.push(packet(0, BASE, 'first'));
    expect(collector.packets.map(({ text }) => text)).toEqual(['first']);
    collector.pass(2);
    expect(collector.packets.map(({ text }) => text)).toEqual(['first', 'second']);
    expect(collector.merge.late).toBe(0);
  });

  it('a packet waits longer where its reader is patient', () => {
    const collector = new Collector(new MergeWait(JOINING_WINDOW_MS));
    const [first] = [collector.open('a'), collector.open('b')];
    first.push(packet(0, BASE, 'first'));
    collector.pass(MERGE_WINDOW_MS + 1);
    collector.pass(JOINING_WINDOW_MS - MERGE_WINDOW_MS - 2);
    expect(collector.packets).toEqual([]);
    collector.pass(2);
    expect(collector.packets.map(({ text }) => text)).toEqual(['first']);
  });

  it('where packets have come late the next ones wait longer for them, if the wait may grow', () => {
    for (const [limit, late] of [
      [MERGE_WINDOW_MS, 2],
      [MERGE_WINDOW_LIMIT_MS, 1],
    ] as const) {
      const collector = new Collector(new MergeWait(MERGE_WINDOW_MS, limit));
      const [first, second] = [collector.open('a'), collector.open('b')];
      for (const time of [BASE, BASE + 1_000n * MS]) {
        first.push(packet(0, time + 10n * MS));
        // 300 ms after the packet that it precedes, 400 ms the second time.
        collector.pass(MERGE_WINDOW_MS + 1);
        collector.pass(time === BASE ? 50 : 150);
        second.push(packet(0, time));
        collector.pass(MERGE_WINDOW_LIMIT_MS + 1);
      }
      expect(collector.packets).toHaveLength(4);
      expect(collector.merge.late).toBe(late);
    }
  });

  it('one that comes after that is written and counted as late', () => {
    const collector = new Collector();
    const [first, second] = [collector.open('a'), collector.open('b')];
    first.push(packet(0, BASE + 100n * MS));
    collector.pass(MERGE_WINDOW_MS + 1);
    for (const time of [1n, 2n]) second.push(packet(0, BASE + time));
    // Stamped on another processor at the same time: in order as far as anyone can tell.
    second.push(packet(0, BASE + 99n * MS + 1n));
    collector.pass(MERGE_WINDOW_MS + 1);
    expect(collector.packets).toHaveLength(4);
    expect(collector.merge.late).toBe(2);
  });

  it('nothing waits for a stream that has ended, also if it ended with packets waiting', () => {
    const collector = new Collector();
    const [first, second, third] = [collector.open('a'), collector.open('b'), collector.open('c')];
    second.push(packet(0, BASE + 5n, 'b'));
    second.end();
    third.end();
    first.push(packet(0, BASE + 9n, 'a'));
    expect(collector.packets.map(({ text }) => text)).toEqual(['b', 'a']);
  });
});

describe('bounds', () => {
  it('what waits never exceeds its bound, and nothing is dropped', () => {
    const collector = new Collector();
    const [busy] = [collector.open('busy'), collector.open('silent')];
    const block = packet(0, BASE, 'x'.repeat(64 * 1024));
    const times = 3 * Math.ceil(MERGE_BYTES / block.length);
    let most = 0;
    for (let index = 0; index < times; index += 1) {
      busy.push(packet(0, BASE + BigInt(index), 'x'.repeat(64 * 1024)));
      most = Math.max(most, collector.merge.waitingBytes);
    }
    expect(most).toBeGreaterThan(MERGE_BYTES - block.length);
    expect(most).toBeLessThanOrEqual(MERGE_BYTES);
    collector.merge.flush();
    expect(collector.packets).toHaveLength(times);
    expect(ordered(collector.packets)).toBe(true);
  });
});

describe('damage', () => {
  const cut = (block: Uint8Array, length: number) => {
    const bytes = Buffer.from(block.subarray(0, length));
    bytes.writeUInt32LE(length, 4);
    bytes.writeUInt32LE(length, length - 4);
    return bytes;
  };
  const longPacket = Buffer.from(packet(0, BASE, 'abcd'));
  longPacket.writeUInt32LE(0x7fff_ffff, 20);

  it.each([
    ['a packet of an interface never described', packet(7, BASE)],
    ['a packet shorter than its header', cut(packet(0, BASE), 12)],
    ['a packet longer than its block', longPacket],
    ['statistics shorter than their header', cut(sample.statistics(0, BASE), 16)],
    ['a second section', sample.header()],
    ['an interface without a link type', cut(sample.describe('a'), 12)],
  ])('%s is an error that names the byte', (_, damaged) => {
    const collector = new Collector();
    const source = collector.open('a');
    source.push(packet(0, BASE, 'kept'));
    const before = source.bytes;
    expect(() => source.push(damaged)).toThrow(
      expect.objectContaining({ code: 'DAMAGED_PCAPNG', message: expect.stringContaining(`byte ${before}`) }),
    );
    collector.merge.flush();
    expect(collector.packets.map(({ text }) => text)).toEqual(['kept']);
  });

  it('any bytes changed: an error of ours or another capture, never anything else', () => {
    const random = new Random(SEED);
    const blocks = Array.from({ length: 40 }, (_, index) => packet(0, BASE + BigInt(index), `${index}`));
    const whole = Buffer.concat([sample.header(), sample.describe('a'), ...blocks, sample.end()]);
    for (let round = 0; round < 3_000; round += 1) {
      const bytes = Buffer.from(whole);
      for (let count = 1 + random.below(4); count > 0; count -= 1)
        bytes[random.below(bytes.length)] = random.below(256);
      const merge = new Merge({ addInterface: () => {}, write: () => {} }, () => 0);
      try {
        merge.addSource('a').push(bytes);
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'DAMAGED_PCAPNG', message: expect.stringMatching(/ at byte \d+/) });
      }
      merge.flush();
    }
  });
});
