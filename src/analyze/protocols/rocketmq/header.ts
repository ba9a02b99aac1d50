import { i32, u8, u16 } from '../../bytes.ts';
import { utf8 } from '../../record/text.ts';
import type { Likeness } from '../protocol.ts';

/** Bytes before the header: the length of what follows, and the header's with how it is written. */
export const LENGTHS = 8;
/** Bytes that show that a command begins. */
export const ROCKETMQ_SEEK = 22;
const FRAME_MAXIMUM = 64 * 1024 * 1024;
const HEADER_MINIMUM = 14;
const TYPE = { json: 0, binary: 1 } as const;
const LANGUAGE_MAXIMUM = 16;
const FIELDS_MAXIMUM = 64;
/** Flags: a response, and a command without one. */
export const FLAG = { response: 1, oneWay: 2 } as const;

/** A command's header. */
export interface CommandHeader {
  readonly code: number;
  readonly flag: number;
  readonly opaque: number;
  readonly remark: string;
  readonly fields: ReadonlyMap<string, string>;
}

const FIRST_KEY = /^\{"(?:code|extFields|flag|language|opaque|remark|serializeTypeCurrentRPC|version)":/;
const FIRST_KEYS = [
  'code',
  'extFields',
  'flag',
  'language',
  'opaque',
  'remark',
  'serializeTypeCurrentRPC',
  'version',
].map((key) => `{"${key}":`);
const FIRST_MAXIMUM = 28;

/** The whole command's length; 0 for what is none. LENGTHS bytes. */
export function rocketmqLength(bytes: Uint8Array, start: number): number {
  const size = i32(bytes, start);
  const header = i32(bytes, start + 4) & 0xffffff;
  if (size < HEADER_MINIMUM + 4 || size > FRAME_MAXIMUM || header < HEADER_MINIMUM || header + 4 > size) return 0;
  return u8(bytes, start + 4) <= TYPE.binary ? size + 4 : 0;
}

/** Whether a command begins here: ROCKETMQ_SEEK bytes. */
export function rocketmqBegins(bytes: Uint8Array, start: number): boolean {
  if (rocketmqLength(bytes, start) === 0) return false;
  const at = start + LENGTHS;
  if (u8(bytes, start + 4) === TYPE.json) {
    const text = utf8(bytes, at, start + ROCKETMQ_SEEK);
    return FIRST_KEYS.some((key) => key.startsWith(text) || text.startsWith(key));
  }
  return (
    u8(bytes, at + 2) <= LANGUAGE_MAXIMUM &&
    i32(bytes, at + 9) >>> 0 <= (FLAG.response | FLAG.oneWay) &&
    u16(bytes, at) < 4096
  );
}

/** Reads a header, as far as it is there; undefined where it is not whole or cannot be read. */
export function readHeader(bytes: Uint8Array, start: number, end: number): CommandHeader | undefined {
  const from = start + LENGTHS;
  const to = from + (i32(bytes, start + 4) & 0xffffff);
  if (to > end) return undefined;
  return u8(bytes, start + 4) === TYPE.json ? jsonHeader(utf8(bytes, from, to)) : binaryHeader(bytes, from, to);
}

function jsonHeader(text: string): CommandHeader | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof read !== 'object' || read === null) return undefined;
  const { code, flag, opaque, remark, extFields } = read as Readonly<Record<string, unknown>>;
  if (!Number.isSafeInteger(code) || !Number.isSafeInteger(opaque)) return undefined;
  const fields = new Map<string, string>();
  if (typeof extFields === 'object' && extFields !== null) {
    for (const [name, value] of Object.entries(extFields)) if (typeof value === 'string') fields.set(name, value);
  }
  return {
    code: code as number,
    flag: Number.isSafeInteger(flag) ? (flag as number) : 0,
    opaque: opaque as number,
    remark: typeof remark === 'string' ? remark : '',
    fields,
  };
}

function binaryHeader(bytes: Uint8Array, start: number, end: number): CommandHeader | undefined {
  if (end - start < 21) return undefined;
  const remarkEnd = start + 17 + i32(bytes, start + 13);
  if (remarkEnd < start + 17 || remarkEnd + 4 > end) return undefined;
  const fields = new Map<string, string>();
  const stop = Math.min(end, remarkEnd + 4 + Math.max(0, i32(bytes, remarkEnd)));
  for (let at = remarkEnd + 4; at + 2 <= stop && fields.size < FIELDS_MAXIMUM; ) {
    const valueAt = at + 2 + u16(bytes, at);
    if (valueAt + 4 > stop) break;
    const valueEnd = valueAt + 4 + i32(bytes, valueAt);
    if (valueEnd < valueAt + 4 || valueEnd > stop) break;
    fields.set(utf8(bytes, at + 2, valueAt), utf8(bytes, valueAt + 4, valueEnd));
    at = valueEnd;
  }
  return {
    code: u16(bytes, start),
    opaque: i32(bytes, start + 5),
    flag: i32(bytes, start + 9),
    remark: utf8(bytes, start + 17, remarkEnd),
    fields,
  };
}

/** Whether bytes begin a command, and whose. */
export function rocketmqLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  if (u8(bytes, start) > 3) return 'no';
  if (end - start < LENGTHS) return 'more';
  if (rocketmqLength(bytes, start) === 0) return 'no';
  const at = start + LENGTHS;
  if (u8(bytes, start + 4) === TYPE.binary) {
    if (end - start < ROCKETMQ_SEEK) return 'more';
    if (!rocketmqBegins(bytes, start)) return 'no';
    const header = readHeader(bytes, start, end);
    // Its lengths have to fit, or nothing is proven.
    if (header === undefined || header.fields.size === 0) return 'no';
    return (header.flag & FLAG.response) === 0 ? 'client' : 'server';
  }
  const text = utf8(bytes, at, Math.min(end, at + FIRST_MAXIMUM));
  if (!FIRST_KEY.test(text))
    return text.length < FIRST_MAXIMUM && FIRST_KEYS.some((key) => key.startsWith(text)) ? 'more' : 'no';
  const header = readHeader(bytes, start, end);
  if (header !== undefined) return (header.flag & FLAG.response) === 0 ? 'client' : 'server';
  return at + (i32(bytes, start + 4) & 0xffffff) > end ? 'more' : 'no';
}
