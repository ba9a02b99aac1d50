import { expect, test } from 'vitest';
import { decodeCommonPacket } from '../../../src/analyze/packet/common-packet.ts';
import { decodePacket, PacketView } from '../../../src/analyze/packet/packet.ts';
import { readCaptureFile } from '../../support/capture-file.ts';
import { captureFiles } from '../../support/captures.ts';
import { Random } from '../../support/random.ts';

const TCP_FRAME = Buffer.from(
  '0200000000020200000000010800' +
    '45000036123440004006000a0a0000010a000002' +
    'c00000500000000100000002801801f500000000' +
    '0101080a0000000100000002' +
    '4142',
  'hex',
);

/** A query for `ab.` over UDP. */
const UDP_FRAME = Buffer.from(
  '020000000002020000000001080045000030123440004011000a0a0000010a000002' +
    'c0000035001c000000070100000100000000000002616200' +
    '00010001',
  'hex',
);

function decoded(decode: (packet: PacketView) => unknown, frame: Uint8Array, caplen: number, linkType: number) {
  const view = new PacketView();
  // What the packet before left behind must not show.
  view.set(new Uint8Array(64).fill(0x45), 0, 64, 64, 0, 0, 0, 1, 0);
  decodePacket(view);
  view.set(frame, 0, caplen, frame.length, 7, 8, 9, linkType, 1);
  const result = decode(view);
  const { layerNumbers, layerOffsets, bytes: _, ...rest } = view;
  const layers = [...layerNumbers.subarray(0, view.layerCount)];
  return { result, view: { ...rest, layers, offsets: [...layerOffsets.subarray(0, view.layerCount)] } };
}

function expectSame(frame: Uint8Array, caplen: number, linkType: number): boolean {
  const common = decoded(decodeCommonPacket, frame, caplen, linkType);
  if (common.result === true) expect(common.view).toEqual(decoded(decodePacket, frame, caplen, linkType).view);
  return common.result === true;
}

test.each([
  ['TCP', TCP_FRAME],
  ['DNS over UDP', UDP_FRAME],
])('a plain packet of %s is decoded as by its layers, whole, cut, padded and damaged', (_, whole) => {
  expect(expectSame(whole, whole.length, 1)).toBe(true);
  expect(expectSame(Buffer.concat([whole, Buffer.alloc(6)]), whole.length + 6, 1)).toBe(true);
  for (let caplen = 0; caplen < whole.length; caplen += 1) expectSame(whole, caplen, 1);
  for (let at = 0; at < 54; at += 1) {
    for (let value = 0; value < 256; value += 1) {
      const frame = Buffer.from(whole);
      frame[at] = value;
      expectSame(frame, frame.length, 1);
    }
  }
});

test('packets of every capture, plain and mutated', async () => {
  let common = 0;
  const random = new Random(7);
  for (const path of captureFiles().filter((_, index) => index % 9 === 0)) {
    const frames = (await readCaptureFile(path))?.slice(0, 60) ?? [];
    for (const { bytes, linkType } of frames) {
      if (bytes.length > 0 && random.below(3) === 0)
        bytes[random.below(Math.min(60, bytes.length))] = random.below(256);
      if (expectSame(bytes, bytes.length, linkType)) common += 1;
    }
  }
  console.log(`${common} packets of captures were common ones`);
});
