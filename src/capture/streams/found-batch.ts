import { zstdDecompressSync } from 'node:zlib';
import { FOUND_HEADER_BYTES, packedBatch } from '../../wire/found-block.ts';
import { BLOCK } from '../../wire/pcapng.ts';
import type { BlockView } from '../../wire/pcapng-read.ts';

/**
 * Hand out the found blocks of a batch, in a buffer of their own that may be kept.
 * @returns whether the batch holds what it claims, and nothing but found blocks
 */
export function eachFound(batch: BlockView, take: (block: BlockView) => void): boolean {
  const bytes = unpacked(batch);
  if (bytes === undefined) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  while (offset + FOUND_HEADER_BYTES + 4 <= bytes.length) {
    const length = view.getUint32(offset + 4, true);
    const isBlock = length % 4 === 0 && length > FOUND_HEADER_BYTES && offset + length <= bytes.length;
    if (!isBlock || view.getUint32(offset, true) !== BLOCK.ksnoopFound) return false;
    if (view.getUint32(offset + length - 4, true) !== length) return false;
    take({ bytes, view, offset, length, type: BLOCK.ksnoopFound, littleEndian: true });
    offset += length;
  }
  return offset === bytes.length;
}

function unpacked(block: BlockView): Uint8Array | undefined {
  const batch = packedBatch(block);
  if (batch === undefined || batch.length === 0) return undefined;
  try {
    const { buffer, byteOffset, length } = zstdDecompressSync(batch.packed, { maxOutputLength: batch.length });
    return length === batch.length ? new Uint8Array(buffer, byteOffset, length) : undefined;
  } catch {
    return undefined;
  }
}
