import { i32, u8, u16 } from '../../bytes.ts';
import { latin1, utf8 } from '../../record/text.ts';

/** Types of messages (Thrift protocol specification). */
export const MESSAGE = { call: 1, reply: 2, exception: 3, oneWay: 4 } as const;
export const NAME_MAXIMUM = 255;
const NAME = /^[A-Za-z_][\w.:$]*$/;
const DEPTH_MAXIMUM = 64;
const TEXT_MAXIMUM = 256;

/** What a message begins with, and what its first field is. */
export interface ThriftMessage {
  readonly type: number;
  readonly name: string;
  readonly sequence: number;
  /** Number of the first field; -1 where there is none, undefined where it is not there. */
  readonly field: number | undefined;
  /** The text of an exception of the protocol itself. */
  readonly error: string;
}

/** A place in bytes that is behind them, or at what cannot be. */
const MORE = -1;
const BAD = -2;

/** Types of fields in the binary protocol. */
const BINARY = {
  stop: 0,
  bool: 2,
  byte: 3,
  double: 4,
  i16: 6,
  i32: 8,
  i64: 10,
  string: 11,
  struct: 12,
  map: 13,
  set: 14,
  list: 15,
  uuid: 16,
} as const;
const BINARY_SIZES: Readonly<Record<number, number>> = {
  [BINARY.bool]: 1,
  [BINARY.byte]: 1,
  [BINARY.double]: 8,
  [BINARY.i16]: 2,
  [BINARY.i32]: 4,
  [BINARY.i64]: 8,
  [BINARY.uuid]: 16,
};
/** Types of fields in the compact protocol; both kinds of bool have no value in a struct. */
const COMPACT = {
  stop: 0,
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  string: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
  uuid: 13,
} as const;

/** Whether a message of the compact protocol begins here; otherwise of the binary one. Two bytes. */
export function isCompact(bytes: Uint8Array, at: number): boolean {
  return u8(bytes, at) === 0x82 && (u8(bytes, at + 1) & 0x1f) === 1;
}

/** Walks over one message, in the binary or the compact protocol. Reused. */
export class ThriftWalker {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #compact = false;
  #type = 0;
  #name = '';
  #sequence = 0;
  #field: number | undefined;
  #error = '';

  /** What the message at `start` says, as far as it is there; undefined where it is none, or its head is not whole. */
  message(bytes: Uint8Array, start: number, end: number): ThriftMessage | undefined {
    if (this.#head(bytes, start, end) !== 0) return undefined;
    this.#struct(0);
    return { type: this.#type, name: this.#name, sequence: this.#sequence, field: this.#field, error: this.#error };
  }

  /** The head alone: its type; MORE as undefined, 0 for what is no message. */
  headType(bytes: Uint8Array, start: number, end: number): number | undefined {
    const result = this.#head(bytes, start, end);
    return result === MORE ? undefined : result === BAD ? 0 : this.#type;
  }

  /** A whole message's length; undefined where more bytes are needed, 0 for what is none. */
  length(bytes: Uint8Array, start: number, end: number): number | undefined {
    const head = this.#head(bytes, start, end);
    const result = head === 0 ? this.#struct(0) : head;
    return result === MORE ? undefined : result === BAD ? 0 : this.#at - start;
  }

  #head(bytes: Uint8Array, start: number, end: number): number {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#field = undefined;
    this.#error = '';
    if (end - start < 2) return MORE;
    this.#compact = isCompact(bytes, start);
    let length = 0;
    if (this.#compact) {
      this.#type = u8(bytes, start + 1) >> 5;
      this.#at = start + 2;
      this.#sequence = this.#varint();
      if (this.#sequence < 0) return this.#sequence;
      length = this.#varint();
    } else {
      if (u16(bytes, start) !== 0x8001) return BAD;
      if (end - start < 8) return MORE;
      this.#type = u8(bytes, start + 2) === 0 ? u8(bytes, start + 3) : 0;
      length = i32(bytes, start + 4);
      this.#at = start + 8;
    }
    if (length === MORE) return MORE;
    if (this.#type < MESSAGE.call || this.#type > MESSAGE.oneWay || length < 1 || length > NAME_MAXIMUM) return BAD;
    const there = Math.min(length, end - this.#at);
    this.#name = latin1(bytes, this.#at, this.#at + there);
    if (there > 0 && !NAME.test(this.#name)) return BAD;
    if (there < length) return MORE;
    this.#at += length;
    if (this.#compact) return 0;
    if (this.#at + 4 > end) return MORE;
    this.#sequence = i32(bytes, this.#at) >>> 0;
    this.#at += 4;
    return 0;
  }

  /** @returns 0, MORE or BAD, as all that follow */
  #struct(depth: number): number {
    if (depth > DEPTH_MAXIMUM) return BAD;
    let id = 0;
    for (;;) {
      if (this.#at >= this.#end) return MORE;
      const first = u8(this.#bytes, this.#at);
      this.#at += 1;
      if (first === 0) {
        if (depth === 0) this.#field ??= -1;
        return 0;
      }
      const type = this.#compact ? first & 0x0f : first;
      if (!this.#compact) {
        if (this.#at + 2 > this.#end) return MORE;
        id = (u16(this.#bytes, this.#at) << 16) >> 16;
        this.#at += 2;
      } else if (first >> 4 === 0) {
        const coded = this.#varint();
        if (coded < 0) return coded;
        id = (coded >>> 1) ^ -(coded & 1);
      } else id += first >> 4;
      if (depth === 0) this.#field ??= id;
      const isError = depth === 0 && id === 1 && this.#type === MESSAGE.exception;
      const result = this.#compact
        ? this.#compactValue(type, depth, true, isError)
        : this.#binaryValue(type, depth, isError);
      if (result !== 0) return result;
    }
  }

  #binaryValue(type: number, depth: number, isError: boolean): number {
    const size = BINARY_SIZES[type];
    if (size !== undefined) return this.#skip(size);
    if (type === BINARY.struct) return this.#struct(depth + 1);
    if (type === BINARY.string) {
      const length = this.#i32();
      return length < 0 ? length : this.#text(length, isError);
    }
    if (type !== BINARY.map && type !== BINARY.set && type !== BINARY.list) return BAD;
    const kinds = type === BINARY.map ? 2 : 1;
    if (this.#at + kinds > this.#end) return MORE;
    const first = u8(this.#bytes, this.#at);
    const second = u8(this.#bytes, this.#at + kinds - 1);
    this.#at += kinds;
    const count = this.#i32();
    if (count < 0) return count;
    for (let index = 0; index < count * kinds; index += 1) {
      const result =
        depth >= DEPTH_MAXIMUM ? BAD : this.#binaryValue(index % kinds === 0 ? first : second, depth + 1, false);
      if (result !== 0) return result;
    }
    return 0;
  }

  #compactValue(type: number, depth: number, inStruct: boolean, isError: boolean): number {
    switch (type) {
      case COMPACT.true:
      case COMPACT.false:
        return inStruct ? 0 : this.#skip(1);
      case COMPACT.byte:
        return this.#skip(1);
      case COMPACT.i16:
      case COMPACT.i32:
      case COMPACT.i64:
        return this.#skipVarint();
      case COMPACT.double:
        return this.#skip(8);
      case COMPACT.uuid:
        return this.#skip(16);
      case COMPACT.struct:
        return this.#struct(depth + 1);
      case COMPACT.string: {
        const length = this.#varint();
        return length < 0 ? length : this.#text(length, isError);
      }
      default:
        return this.#compactContainer(type, depth);
    }
  }

  #compactContainer(type: number, depth: number): number {
    if (type !== COMPACT.list && type !== COMPACT.set && type !== COMPACT.map) return BAD;
    let count = 0;
    let first = 0;
    let second = 0;
    if (type === COMPACT.map) {
      count = this.#varint();
      if (count < 0) return count;
      if (count === 0) return 0;
      if (this.#at >= this.#end) return MORE;
      first = u8(this.#bytes, this.#at) >> 4;
      second = u8(this.#bytes, this.#at) & 0x0f;
      this.#at += 1;
    } else {
      if (this.#at >= this.#end) return MORE;
      const head = u8(this.#bytes, this.#at);
      this.#at += 1;
      first = head & 0x0f;
      second = first;
      count = head >> 4 === 15 ? this.#varint() : head >> 4;
      if (count < 0) return count;
    }
    const kinds = type === COMPACT.map ? 2 : 1;
    for (let index = 0; index < count * kinds; index += 1) {
      const kind = index % kinds === 0 ? first : second;
      const result = depth >= DEPTH_MAXIMUM ? BAD : this.#compactValue(kind, depth + 1, false, false);
      if (result !== 0) return result;
    }
    return 0;
  }

  #text(length: number, isError: boolean): number {
    if (isError)
      this.#error = utf8(this.#bytes, this.#at, Math.min(this.#at + Math.min(length, TEXT_MAXIMUM), this.#end));
    return this.#skip(length);
  }

  #skip(length: number): number {
    if (this.#at + length > this.#end) return MORE;
    this.#at += length;
    return 0;
  }

  /** A length; BAD where it is negative. */
  #i32(): number {
    if (this.#at + 4 > this.#end) return MORE;
    const value = i32(this.#bytes, this.#at);
    this.#at += 4;
    return value < 0 ? BAD : value;
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.#at >= this.#end) return MORE;
      const byte = u8(this.#bytes, this.#at);
      this.#at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value > 0xffffffff ? BAD : value;
    }
    return BAD;
  }

  #skipVarint(): number {
    for (let index = 0; index < 10; index += 1) {
      if (this.#at >= this.#end) return MORE;
      this.#at += 1;
      if (u8(this.#bytes, this.#at - 1) < 0x80) return 0;
    }
    return BAD;
  }
}
