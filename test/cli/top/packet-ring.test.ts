import { expect, test } from 'vitest';
import { DIRECTION } from '../../../src/analyze/layers/layer.ts';
import { PacketView } from '../../../src/analyze/packet/packet.ts';
import { PacketRing } from '../../../src/cli/top/packet-ring.ts';
import { EPB_HEADER_BYTES } from '../../../src/wire/pcapng.ts';

/** A packet of so many bytes, all of them its number. */
function packet(number: number, size: number): PacketView {
  const view = new PacketView();
  view.set(new Uint8Array(size).fill(number), 0, size, size, 0, number, 0, 1, DIRECTION.inbound);
  return view;
}

const first = (block: Uint8Array) => block[EPB_HEADER_BYTES];

test('the last packets are kept, whatever comes, in no more bytes than there is room for', () => {
  const ring = new PacketRing(3 * 1024 * 1024);
  for (let number = 0; number < 200; number += 1) ring.add(packet(number, 60_000), -1);
  const kept = [...ring.blocks()].map(first);
  expect(kept.at(-1)).toBe(199);
  expect(kept).toEqual(Array.from({ length: ring.count }, (_, index) => 200 - ring.count + index));
  expect(ring.bytes).toBeLessThanOrEqual(3 * 1024 * 1024);
  expect(ring.count + ring.dropped).toBe(200);
  expect(ring.count).toBeGreaterThan(30);
});

test("a flow's packets are found, the last ones, oldest first", () => {
  const ring = new PacketRing();
  for (let number = 0; number < 100; number += 1) ring.add(packet(number, 1_000), number % 3);
  const found = ring.ofFlow(1, 3).map(({ view, offset }) => view.getUint8(offset + EPB_HEADER_BYTES));
  expect(found).toEqual([91, 94, 97]);
});

test('a packet larger than a piece has one of its own', () => {
  const ring = new PacketRing(4 * 1024 * 1024);
  ring.add(packet(1, 100), -1);
  ring.add(packet(2, 2_000_000), -1);
  ring.add(packet(3, 100), -1);
  expect([...ring.blocks()].map(first)).toEqual([1, 2, 3]);
});
