import { type FoundPlace, foundBlockBytes, writeFound } from '../../src/wire/found-block.ts';

/** The block of one thing found, alone. */
export function foundBlock(place: FoundPlace, json: string): Uint8Array {
  const block = Buffer.alloc(foundBlockBytes(Buffer.byteLength(json)));
  writeFound(block, 0, place, json);
  return block;
}
