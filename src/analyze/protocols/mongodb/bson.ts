import { u8 } from '../../bytes.ts';
import { TEXT_MAXIMUM } from '../../limits.ts';
import { utf8 } from '../../record/text.ts';

/** As int32, of the wire's byte order, which is little-endian. */
export function i32le(bytes: Uint8Array, at: number): number {
  return u8(bytes, at) | (u8(bytes, at + 1) << 8) | (u8(bytes, at + 2) << 16) | (u8(bytes, at + 3) << 24);
}

/** Types of values (bsonspec.org) that are looked into. */
export const TYPE = { double: 1, string: 2, document: 3, array: 4, boolean: 8, int32: 16, int64: 18 } as const;

/** Bytes of values of one length, by type. */
const FIXED: ReadonlyMap<number, number> = new Map([
  [TYPE.double, 8],
  [6, 0],
  [7, 12],
  [TYPE.boolean, 1],
  [9, 8],
  [10, 0],
  [TYPE.int32, 4],
  [17, 8],
  [TYPE.int64, 8],
  [19, 16],
  [0x7f, 0],
  [0xff, 0],
]);

/** Elements looked at in one document. */
const ELEMENTS_MAXIMUM = 256;

/** Longest name of an element. */
const NAME_MAXIMUM = 256;

/** The last bytes of a message, of which those before are not all kept. */
export interface Tail {
  /** Where they would be, were all kept; where they are. */
  readonly from: number;
  readonly start: number;
  readonly end: number;
}

/** Walks over a document's elements, as far as its bytes were kept. */
export class Document {
  type = 0;
  /** Of the value; the end may lie behind what was kept. */
  valueStart = 0;
  valueEnd = 0;
  #bytes: Uint8Array = NOTHING;
  #nameStart = 0;
  #nameEnd = 0;
  #at = 0;
  #end = 0;
  #left = 0;
  #tail: Tail | undefined;

  /**
   * @param start where the document's length is
   * @param tail where its message's last bytes are kept, when there are some between that are not
   */
  open(bytes: Uint8Array, start: number, end: number, tail: Tail | undefined = undefined): void {
    this.#bytes = bytes;
    this.#tail = tail;
    this.#left = ELEMENTS_MAXIMUM;
    this.#at = start + 4;
    this.#end = start + 4 > end ? start : Math.min(end, start + Math.max(4, i32le(bytes, start)));
    this.valueStart = this.#at;
    this.valueEnd = this.#at;
  }

  close(): void {
    this.#bytes = NOTHING;
    this.#end = 0;
    this.#at = 0;
  }

  /** Go to the next element. @returns whether there is one, and the beginning of its value was kept */
  next(): boolean {
    const bytes = this.#bytes;
    if (this.#at > this.#end) this.#leap();
    if (this.#at + 2 > this.#end || this.#left === 0) return false;
    this.#left -= 1;
    this.type = u8(bytes, this.#at);
    if (this.type === 0) return false;
    this.#nameStart = this.#at + 1;
    let at = this.#nameStart;
    const limit = Math.min(this.#end, at + NAME_MAXIMUM);
    while (at < limit && bytes[at] !== 0) at += 1;
    if (at >= limit) return false;
    this.#nameEnd = at;
    this.valueStart = at + 1;
    const length = this.#valueLength(this.valueStart);
    if (length < 0) return false;
    this.valueEnd = this.valueStart + length;
    this.#at = this.valueEnd;
    return true;
  }

  get name(): string {
    return utf8(this.#bytes, this.#nameStart, this.#nameEnd);
  }

  /** Whether the element is called this. @param name of ASCII */
  is(name: string): boolean {
    if (this.#nameEnd - this.#nameStart !== name.length) return false;
    for (let index = 0; index < name.length; index += 1) {
      if (this.#bytes[this.#nameStart + index] !== name.charCodeAt(index)) return false;
    }
    return true;
  }

  /** A string's text, at most TEXT_MAXIMUM bytes of it; empty for other types. */
  text(): string {
    if (this.type !== TYPE.string) return '';
    const end = Math.min(this.valueEnd - 1, this.#end, this.valueStart + 4 + TEXT_MAXIMUM);
    return utf8(this.#bytes, this.valueStart + 4, end);
  }

  /** A number or boolean as a number; undefined for other types, or where it was not kept. */
  number(): number | undefined {
    if (this.valueEnd > this.#end) return undefined;
    const { type, valueStart } = this;
    if (type === TYPE.boolean) return u8(this.#bytes, valueStart);
    if (type === TYPE.int32) return i32le(this.#bytes, valueStart);
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    if (type === TYPE.double) return view.getFloat64(valueStart, true);
    return type === TYPE.int64 ? Number(view.getBigInt64(valueStart, true)) : undefined;
  }

  /** The last value went beyond what was kept: the next element may be in the message's last bytes. */
  #leap(): void {
    const tail = this.#tail;
    if (tail === undefined || this.#at < tail.from) return;
    this.#at += tail.start - tail.from;
    this.#end = tail.end;
    this.#tail = undefined;
  }

  #valueLength(at: number): number {
    const fixed = FIXED.get(this.type);
    if (fixed !== undefined) return fixed;
    // Patterns and pointers are of no interest, and nothing behind them was ever seen that is.
    if (this.type === 11 || this.type === 12 || this.type > 19) return -1;
    if (at + 4 > this.#end) return -1;
    const length = i32le(this.#bytes, at);
    if (length < 0) return -1;
    // Documents, arrays and code with a scope count their length in; binary has its kind besides.
    if (this.type === TYPE.document || this.type === TYPE.array || this.type === 15) return length >= 4 ? length : -1;
    return this.type === 5 ? length + 5 : length + 4;
  }
}

const NOTHING = new Uint8Array(0);
