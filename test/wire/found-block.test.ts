import { expect, test } from 'vitest';
import { foundBatch, foundText, isWholeFound, numberStream, packedBatch } from '../../src/wire/found-block.ts';
import { COLUMNS_MAXIMUM } from '../../src/wire/found-columns/limits.ts';
import type { BlockView } from '../../src/wire/pcapng-read.ts';
import { foundBlock } from '../support/found-block.ts';

function viewOf(bytes: Uint8Array): BlockView {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes, view, offset: 0, length: bytes.length, type: view.getUint32(0, true), littleEndian: true };
}

const PLACE = { interfaceId: 3, time: 0x1_8000_0000_0000_0001n, stream: 0 };

test.each(['[]', '["e"]', '["é"]', ''])('a block has the text that it was made of: %s', (json) => {
  const block = viewOf(foundBlock(PLACE, json));
  expect(block.length % 4).toBe(0);
  expect(isWholeFound(block)).toBe(true);
  numberStream(block, 7);
  expect(foundText(block)).toEqual({ stream: 7, json });
  expect(block.view.getUint32(8, true)).toBe(3);
  expect((BigInt(block.view.getUint32(12, true)) << 32n) | BigInt(block.view.getUint32(16, true))).toBe(
    PLACE.time & 0xffff_ffff_ffff_ffffn,
  );
});

test.each([0, 1, 5, 0xffff_ffff])('a block that claims %i bytes of text is not whole', (claimed) => {
  const block = viewOf(foundBlock(PLACE, '[1,2,3,4,5,6]'));
  block.view.setUint32(24, claimed, true);
  expect(isWholeFound(block)).toBe(false);
});

test('a block cut short is not whole', () => {
  const block = viewOf(foundBlock(PLACE, '[]'));
  for (let length = 0; length < block.length; length += 4) expect(isWholeFound({ ...block, length })).toBe(false);
});

test('a batch has the bytes that it was made of, and claims no more than a reader allows', () => {
  const packed = Uint8Array.of(1, 2, 3, 4, 5);
  expect(packedBatch(viewOf(foundBatch(packed, 99)))).toEqual({ packed: Buffer.from(packed), length: 99 });
  expect(packedBatch(viewOf(foundBatch(packed, COLUMNS_MAXIMUM + 1)))).toBeUndefined();
  const block = viewOf(foundBatch(packed, 99));
  for (const form of [0, 2]) {
    const other = viewOf(foundBatch(packed, 99));
    other.view.setUint8(11, form);
    expect(packedBatch(other)).toBeUndefined();
  }
  block.view.setUint32(12, 0xffff_fff0, true);
  expect(packedBatch(block)).toBeUndefined();
  expect(packedBatch({ ...block, length: 12 })).toBeUndefined();
  block.view.setUint32(12, 0xffff_ffff, true);
  expect(packedBatch({ ...block, length: 20 })).toBeUndefined();
});
