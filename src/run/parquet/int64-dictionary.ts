import { bitWidthOf, type Indexes } from './values.ts';

const BYTES = 8;
const SLOTS_MAXIMUM = 1 << 16;

/** Different values are at most this share of the values, and so many: otherwise the values themselves take little more. */
const ENTRIES_SHARE = 1 / 8;
const ENTRIES_MAXIMUM = SLOTS_MAXIMUM / 4;

/** Values may be chosen so that they collide in the hash table: after so many steps for each value, it is given up. */
const STEPS_PER_VALUE = 8;

/** Used by one call at a time: number of an entry plus one; 0 is free. */
const slots = new Uint16Array(SLOTS_MAXIMUM);

/** Different values in the order of their first rows, as bytes, and the number of each row's. */
export interface Int64Dictionary {
  readonly dictionary: { readonly bytes: Uint8Array; readonly entries: number };
  readonly values: Indexes;
}

/**
 * A dictionary of 64-bit integers: ports, sizes, status codes and times of a coarse clock repeat.
 * @param view the values, little-endian @param count how many
 * @returns undefined where too many are different
 */
export function int64Dictionary(view: DataView, count: number): Int64Dictionary | undefined {
  const limit = Math.min(ENTRIES_MAXIMUM, Math.floor(count * ENTRIES_SHARE));
  if (limit === 0) return undefined;
  const bits = bitWidthOf(4 * limit - 1);
  slots.fill(0, 0, 1 << bits);
  const mask = (1 << bits) - 1;
  const indexes = new Uint32Array(count);
  const bytes = new Uint8Array(limit * BYTES);
  const entryView = new DataView(bytes.buffer);
  let entries = 0;
  let steps = STEPS_PER_VALUE * count;
  for (let at = 0; at < count; at += 1) {
    const low = view.getInt32(at * BYTES, true);
    const high = view.getInt32(at * BYTES + 4, true);
    let slot = hash(low, high) >>> (32 - bits);
    let entry = (slots[slot] ?? 0) - 1;
    while (
      entry >= 0 &&
      !(entryView.getInt32(entry * BYTES, true) === low && entryView.getInt32(entry * BYTES + 4, true) === high)
    ) {
      steps -= 1;
      if (steps < 0) return undefined;
      slot = (slot + 1) & mask;
      entry = (slots[slot] ?? 0) - 1;
    }
    if (entry < 0) {
      if (entries === limit) return undefined;
      entry = entries;
      entries += 1;
      slots[slot] = entries;
      entryView.setInt32(entry * BYTES, low, true);
      entryView.setInt32(entry * BYTES + 4, high, true);
    }
    indexes[at] = entry;
  }
  return {
    dictionary: { bytes: bytes.subarray(0, entries * BYTES), entries },
    values: { indexes, bitWidth: bitWidthOf(entries - 1) },
  };
}

/** @see https://en.wikipedia.org/wiki/Hash_function#Fibonacci_hashing */
function hash(low: number, high: number): number {
  return Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
}
