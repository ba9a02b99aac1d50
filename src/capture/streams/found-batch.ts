import { zstdDecompressSync } from 'node:zlib';
import { FOUND_MAXIMUM, foundBlockBytes, packedBatch, writeFound } from '../../wire/found-block.ts';
import { FoundColumnsReader, type FoundTextAt } from '../../wire/found-columns/reader.ts';
import { BLOCK } from '../../wire/pcapng.ts';
import type { BlockView } from '../../wire/pcapng-read.ts';

/** Makes found blocks of the batches of one stream, in their order. */
export class FoundUnpacker {
  readonly #columns = new FoundColumnsReader();

  /**
   * Hand out the found blocks of a batch, in a buffer of their own that may be kept.
   * @returns whether the batch holds what it claims
   */
  each(batch: BlockView, take: (block: BlockView) => void): boolean {
    const texts = this.#texts(batch);
    if (texts === undefined || texts.length === 0) return false;
    const lengths = texts.map(({ json }) => Buffer.byteLength(json));
    if (lengths.some((length) => length > FOUND_MAXIMUM)) return false;
    const room = lengths.reduce((sum, length) => sum + foundBlockBytes(length), 0);
    const buffer = Buffer.allocUnsafeSlow(room);
    const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, room);
    const view = new DataView(bytes.buffer, bytes.byteOffset, room);
    let offset = 0;
    for (const { json, ...at } of texts) {
      const end = writeFound(buffer, offset, { ...at, stream: 0 }, json);
      take({ bytes, view, offset, length: end - offset, type: BLOCK.ksnoopFound, littleEndian: true });
      offset = end;
    }
    return true;
  }

  #texts(block: BlockView): FoundTextAt[] | undefined {
    const batch = packedBatch(block);
    if (batch === undefined) return undefined;
    try {
      const columns = zstdDecompressSync(batch.packed, { maxOutputLength: Math.max(1, batch.length) });
      return columns.length === batch.length ? this.#columns.read(columns) : undefined;
    } catch {
      // zstd's error, or WrongColumns: nothing else is thrown here.
      return undefined;
    }
  }
}
