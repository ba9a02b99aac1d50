import { constants, inflateSync, zstdDecompressSync } from 'node:zlib';
import { u8 } from '../../bytes.ts';
import { i32le } from './bson.ts';
import { MESSAGE_HEADER, SNAPPY, ZLIB, ZSTD } from './message.ts';

/** Bytes of OP_COMPRESSED before what is compressed: the operation within, its length, the compressor. */
const COMPRESSED_HEADER = MESSAGE_HEADER + 9;

/** Bytes that one message may become. */
const OUTPUT_MAXIMUM = 256 * 1024;

/** Bytes of a long message's zlib stream that are looked at: never more than OUTPUT_MAXIMUM come of them (ratio 1:1032). */
const ZLIB_INPUT = 240;

/** What OP_COMPRESSED holds: the operation, and its body from 0 on, as far as it was kept or is looked at. */
export interface Inside {
  readonly operation: number;
  readonly body: Uint8Array;
}

const NAMES = new Map([
  [0, 'noop'],
  [SNAPPY, 'snappy'],
  [ZLIB, 'zlib'],
  [ZSTD, 'zstd'],
]);

/** The compressor's name. */
export function compressorOf(bytes: Uint8Array, start: number, end: number): string {
  const id = start + COMPRESSED_HEADER <= end ? u8(bytes, start + COMPRESSED_HEADER - 1) : -1;
  return NAMES.get(id) ?? `compressor ${id}`;
}

/**
 * Undo an OP_COMPRESSED; undefined for what is not decoded: snappy, what is damaged, or what is too long.
 * @param length the message's; more than `end - start` where it was not kept whole
 */
export function decompress(bytes: Uint8Array, start: number, end: number, length: number): Inside | undefined {
  const body = start + COMPRESSED_HEADER;
  if (body > end) return undefined;
  const operation = i32le(bytes, start + MESSAGE_HEADER);
  const id = u8(bytes, body - 1);
  try {
    if (id === 0) return { operation, body: bytes.subarray(body, end) };
    if (id === ZLIB) {
      // Cut off, it gives what is there.
      const claimed = i32le(bytes, start + MESSAGE_HEADER + 4);
      const input = bytes.subarray(body, claimed <= OUTPUT_MAXIMUM ? end : Math.min(end, body + ZLIB_INPUT));
      const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: OUTPUT_MAXIMUM };
      return { operation, body: inflateSync(input, options) };
    }
    if (id !== ZSTD || length > end - start || i32le(bytes, start + MESSAGE_HEADER + 4) > OUTPUT_MAXIMUM)
      return undefined;
    return { operation, body: zstdDecompressSync(bytes.subarray(body, end), { maxOutputLength: OUTPUT_MAXIMUM }) };
  } catch {
    return undefined;
  }
}
