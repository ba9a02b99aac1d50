import { type FoundPlace, foundBlockRoom, writeFound } from '../../src/wire/found-block.ts';

/** The block of one thing found, alone. */
export function foundBlock(place: FoundPlace, json: string): Uint8Array {
  const block = Buffer.alloc(foundBlockRoom(json));
  return block.subarray(0, writeFound(block, 0, place, json));
}
