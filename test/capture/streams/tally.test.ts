import { expect, test } from 'vitest';
import { Merge } from '../../../src/capture/streams/merge.ts';
import { Tally } from '../../../src/capture/streams/tally.ts';
import { BLOCK } from '../../../src/wire/pcapng.ts';
import * as sample from '../../support/pcapng-sample.ts';

/** A tally behind a merge and in front of a list, as in a capture. */
function counted(packets: number, bytes: number) {
  const types: number[] = [];
  let closings = 0;
  const tally = new Tally(
    { addInterface: () => {}, write: (type) => types.push(type), ended: false },
    { packets, bytes },
    () => {
      closings += 1;
    },
  );
  const source = new Merge(tally).addSource('node');
  source.push(Buffer.concat([sample.header(), sample.describe('shop/web-1/any')]));
  const send = (caplen: number, origlen = caplen) => source.push(sample.packet(0, 1n, Buffer.alloc(caplen), origlen));
  const written = () => types.filter((type) => type === BLOCK.enhancedPacket).length;
  return { tally, source, send, types, written, closings: () => closings };
}

test('packets, captured bytes and cut packets are counted by interface', () => {
  const { tally, source, send } = counted(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  source.push(sample.describe('shop/web-2/any'));
  send(60);
  send(100, 1_500);
  // Both interfaces must show one before either is written.
  source.push(sample.packet(1, 2n, Buffer.alloc(7)));
  source.push(sample.statistics(0, 3n));
  // No interface is waited for any more.
  source.end();
  source.push(new Uint8Array());
  expect(tally.interfaces).toEqual([
    { id: 0, stream: 1, index: 0, name: 'shop/web-1/any', packets: 2, bytes: 160, truncated: 1 },
    { id: 1, stream: 1, index: 1, name: 'shop/web-2/any', packets: 1, bytes: 7, truncated: 0 },
  ]);
  expect(tally).toMatchObject({ packets: 3, bytes: 167, full: false });
});

test('--count lets exactly that many through and says once that it is reached', () => {
  const { tally, send, written, closings } = counted(3, Number.POSITIVE_INFINITY);
  for (let index = 0; index < 2; index += 1) send(10);
  expect(closings()).toBe(0);
  for (let index = 0; index < 5; index += 1) send(10);
  expect(written()).toBe(3);
  expect(closings()).toBe(1);
  expect(tally).toMatchObject({ packets: 3, bytes: 30, full: true });
});

test('--max-bytes is never exceeded, and ends before the packet that would', () => {
  const { tally, send, written, closings } = counted(Number.POSITIVE_INFINITY, 100);
  send(40);
  send(40);
  send(40);
  // Small enough, but behind one that was left out.
  send(5);
  expect(written()).toBe(2);
  expect(tally).toMatchObject({ packets: 2, bytes: 80, full: true });
  expect(closings()).toBe(1);
  const exact = counted(Number.POSITIVE_INFINITY, 100);
  exact.send(100);
  expect(exact.tally).toMatchObject({ packets: 1, bytes: 100, full: true });
});

test('statistics pass also when it is full: the file has its losses', () => {
  const { source, send, types, closings } = counted(1, Number.POSITIVE_INFINITY);
  send(10);
  send(10);
  source.push(sample.statistics(0, 9n, 9n));
  expect(types).toEqual([BLOCK.enhancedPacket, BLOCK.interfaceStatistics]);
  expect(closings()).toBe(1);
});

test('lengths of packets are read in all four bytes, wherever the block lies', () => {
  for (const offset of [0, 4, 12]) {
    const written: number[] = [];
    const tally = new Tally(
      { addInterface: () => {}, write: (type) => void written.push(type), ended: false },
      { packets: 10, bytes: Number.POSITIVE_INFINITY },
      () => {},
    );
    const interfaceBlock = sample.describe('a/b/any');
    tally.addInterface(0, interfaceBlock, 0, interfaceBlock.length, {
      stream: 7,
      index: 3,
      gap: undefined,
      remarks: [],
    });
    const block = Buffer.alloc(64);
    block.writeUInt32LE(0x8403_0201, offset + 20);
    block.writeUInt32LE(0x8403_0202, offset + 24);
    tally.write(BLOCK.enhancedPacket, 0, block, offset, 32);
    block.writeUInt32LE(0x8403_0201, offset + 24);
    tally.write(BLOCK.enhancedPacket, 0, block, offset, 32);
    // Of an interface that was not described it counts in all.
    tally.write(BLOCK.enhancedPacket, 1, block, offset, 32);
    expect(tally).toMatchObject({ packets: 3, bytes: 3 * 0x8403_0201 });
    expect(tally.interfaces).toEqual([
      { id: 0, stream: 7, index: 3, name: 'a/b/any', packets: 2, bytes: 2 * 0x8403_0201, truncated: 1 },
    ]);
    expect(written).toHaveLength(3);
  }
});

test('the limit of bytes is reached by the packet that fills it', () => {
  const { tally, send, written, closings } = counted(Number.POSITIVE_INFINITY, 100);
  send(60);
  expect(closings()).toBe(0);
  send(40);
  expect([written(), closings(), tally.full]).toEqual([2, 1, true]);
});
