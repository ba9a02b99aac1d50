import { COLUMNS_MAXIMUM } from './found-columns/limits.ts';
import { isObject, parseJson } from './guard.ts';
import { BLOCK, padded } from './pcapng.ts';
import type { BlockView } from './pcapng-read.ts';
import { plainBlock } from './pcapng-write.ts';

/**
 * A block with one thing that an analysis beside an agent found, at the place of the packets that it stands for: at a time, as an
 * Enhanced Packet Block, so that streams of several nodes are merged in the order of time. All that one analysis found comes as one
 * interface's, so that it stays in its order. Behind the time comes the number of the stream it came in, 0 until the client has
 * numbered it, then the length of the JSON text that says what was found, and of which interface.
 */
const FOUND_HEADER_BYTES = 28;

/** Bytes of the JSON text of one block; what is longer is left out and counted. */
export const FOUND_MAXIMUM = 256 * 1024;

/** Offset of the number of the stream within the block. */
const STREAM_AT = 20;
const LENGTH_AT = 24;

/** Bytes of a batch's block before its compressed bytes. */
const BATCH_HEADER_BYTES = 16;

/**
 * How batches are written, in the uppermost byte of their length. It counts up with every change of found-columns: what an agent of
 * another version found is left out and counted, not misread.
 */
const BATCH_FORM = 1;
const LENGTH_BITS = 24;

/** A found block without its JSON text. */
export interface FoundPlace {
  /** Of the section: the first that brought a packet, whichever the thing found is of. */
  readonly interfaceId: number;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  /** Of the stream; 0 where only one is known. */
  readonly stream: number;
}

/** Bytes of the block of a JSON text of so many bytes of UTF-8. */
export function foundBlockBytes(length: number): number {
  return FOUND_HEADER_BYTES + padded(length) + 4;
}

/**
 * Write the block of one thing found, where `foundBlockBytes` must be free.
 * @param json at most FOUND_MAXIMUM bytes of UTF-8
 * @returns the offset behind it
 */
export function writeFound(
  target: Buffer,
  at: number,
  { interfaceId, time, stream }: FoundPlace,
  json: string,
): number {
  const length = target.write(json, at + FOUND_HEADER_BYTES, 'utf8');
  const end = at + foundBlockBytes(length);
  target.fill(0, at + FOUND_HEADER_BYTES + length, end - 4);
  target.writeUInt32LE(BLOCK.ksnoopFound, at);
  target.writeUInt32LE(end - at, at + 4);
  target.writeUInt32LE(interfaceId, at + 8);
  target.writeUInt32LE(Number((time >> 32n) & 0xffff_ffffn), at + 12);
  target.writeUInt32LE(Number(time & 0xffff_ffffn), at + 16);
  target.writeUInt32LE(stream, at + STREAM_AT);
  target.writeUInt32LE(length, at + LENGTH_AT);
  target.writeUInt32LE(end - at, end - 4);
  return end;
}

/** Whether a block is long enough for what it claims to hold. Readers behind the merge rely on this check. */
export function isWholeFound({ view, offset, length, littleEndian }: BlockView): boolean {
  if (!littleEndian || length < FOUND_HEADER_BYTES + 4) return false;
  const json = view.getUint32(offset + LENGTH_AT, true);
  return json <= FOUND_MAXIMUM && foundBlockBytes(json) === length;
}

/** Write the number of the stream that a whole found block came in. */
export function numberStream({ view, offset }: BlockView, stream: number): void {
  view.setUint32(offset + STREAM_AT, stream >>> 0, true);
}

/** The number of a whole found block's stream, and its JSON text. */
export function foundText({ bytes, view, offset }: BlockView): { readonly stream: number; readonly json: string } {
  const length = view.getUint32(offset + LENGTH_AT, true);
  const at = bytes.byteOffset + offset + FOUND_HEADER_BYTES;
  return {
    stream: view.getUint32(offset + STREAM_AT, true),
    json: Buffer.from(bytes.buffer, at, length).toString('utf8'),
  };
}

/** How the text of counts begins: `["t",INTERFACE,{…,"heldNs":N}]`. */
const COUNTS_BEGIN = Buffer.from('["t",');

/**
 * How long before the time of a whole found block the earliest began of what the analysis had not sent by then.
 * @returns nanoseconds, 0 where it had sent everything; undefined where the block does not show it
 */
export function heldNs(block: BlockView): number | undefined {
  const at = block.bytes.byteOffset + block.offset + FOUND_HEADER_BYTES;
  const length = block.view.getUint32(block.offset + LENGTH_AT, true);
  if (length < COUNTS_BEGIN.length) return undefined;
  if (!COUNTS_BEGIN.equals(Buffer.from(block.bytes.buffer, at, COUNTS_BEGIN.length))) return undefined;
  try {
    const text = parseJson(foundText(block).json, 'counts of an agent');
    const counts: unknown = Array.isArray(text) ? text[2] : undefined;
    const held = isObject(counts) ? counts.heldNs : undefined;
    return typeof held === 'number' && held >= 0 && Number.isFinite(held) ? held : undefined;
  } catch {
    // Whoever reads it behind the merge counts it as not understood.
    return undefined;
  }
}

/** The block of several texts found, as columns (found-columns), compressed with zstd. @param length of the columns, before */
export function foundBatch(packed: Uint8Array, length: number): Uint8Array {
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32LE(BATCH_FORM * 2 ** LENGTH_BITS + length, 0);
  lengths.writeUInt32LE(packed.length, 4);
  return plainBlock(BLOCK.ksnoopFoundBatch, Buffer.concat([lengths, packed]));
}

/** The compressed bytes of a batch, and how many they were; undefined where the block cannot hold what it claims. */
export function packedBatch({
  bytes,
  view,
  offset,
  length,
  littleEndian,
}: BlockView): { readonly packed: Uint8Array; readonly length: number } | undefined {
  if (!littleEndian || length < BATCH_HEADER_BYTES + 4) return undefined;
  const formAndLength = view.getUint32(offset + 8, true);
  if (formAndLength >>> LENGTH_BITS !== BATCH_FORM) return undefined;
  const unpacked = formAndLength & (2 ** LENGTH_BITS - 1);
  const size = view.getUint32(offset + 12, true);
  // A length near 2^32 is 0 with padding.
  if (unpacked > COLUMNS_MAXIMUM || size > length || padded(size) !== length - BATCH_HEADER_BYTES - 4) {
    return undefined;
  }
  const at = offset + BATCH_HEADER_BYTES;
  return { packed: bytes.subarray(at, at + size), length: unpacked };
}
