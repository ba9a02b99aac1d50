/** Bytes for which a column has room at first. Many hours may be open, so it begins small and doubles. */
const FIRST_ROOM = 64;

/** More than this is given back after a row group: one with long texts must not take memory in each column for good. */
const KEPT_MAXIMUM = 1 << 20;

/** The smallest and the largest value of a column in a row group: readers skip row groups by them. */
export interface Bounds {
  readonly min_value: bigint | boolean;
  readonly max_value: bigint | boolean;
}

/** The values of a column in a row group, as the bytes of its pages. Nulls are not among them. */
export interface EncodedValues {
  /** Different values, PLAIN; undefined where the page has the values themselves. */
  readonly dictionary?: { readonly bytes: Uint8Array; readonly entries: number };
  /** PLAIN values; with a dictionary the indexes of the values in it. */
  readonly values: Uint8Array | Indexes;
  readonly bounds?: Bounds;
}

/** Numbers of dictionary entries, and how many bits the largest needs. */
export interface Indexes {
  readonly indexes: Uint32Array;
  readonly bitWidth: number;
}

/** Collects the values of a column in a row group, in the form in which Parquet stores them: none of them is an object that V8 has to keep. */
export interface Values {
  /** Take the next value, which is not null. @returns characters that it adds to what is in memory, or NO_VALUE */
  add(value: unknown): number;
  encode(): EncodedValues;
  /** Begin a row group. @param keep the memory, for values of the same number */
  clear(keep: boolean): void;
}

/** `add` of a value that the column cannot hold: it is null. */
export const NO_VALUE = -1;

/** Bytes that grow. */
export class Room {
  bytes = new Uint8Array(FIRST_ROOM);
  view = new DataView(this.bytes.buffer);

  /** Make sure that so many bytes fit. */
  fit(size: number): void {
    if (size <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(size, 2 * this.bytes.length));
    larger.set(this.bytes);
    this.#take(larger);
  }

  /** Begin again. @param keep the memory, unless it is unusually much */
  rewind(keep: boolean): void {
    const { length } = this.bytes;
    if (length > KEPT_MAXIMUM || (!keep && length > FIRST_ROOM)) this.#take(new Uint8Array(FIRST_ROOM));
  }

  #take(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}

/** Bits that numbers from 0 to `maximum` need. */
export function bitWidthOf(maximum: number): number {
  return 32 - Math.clz32(maximum);
}
