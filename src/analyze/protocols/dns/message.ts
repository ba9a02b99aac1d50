import { i32, u8, u16 } from '../../bytes.ts';
import { NAME_MAXIMUM, readName, skipName } from './name.ts';

/** Bytes of a message's header (RFC 1035, section 4.1.1). */
export const HEADER = 12;

/** Bytes of a record behind its name, without its data: type, class, TTL, length. */
export const RECORD_FIXED = 10;

export const FLAG = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  zero: 0x0040,
  authenticData: 0x0020,
  checkingDisabled: 0x0010,
} as const;

export const SECTION = { questions: 4, answers: 6, authority: 8, additional: 10 } as const;

export function opcodeOf(flags: number): number {
  return (flags >> 11) & 15;
}

/** What a question's place in a message is: whole, cut off by the message's end, none, or not a question at all. */
export type QuestionState = 'whole' | 'cut' | 'none' | 'bad';

/** The first question of a message. Reused: read it before the next scan. */
export class QuestionScan {
  state: QuestionState = 'none';
  /** Where the name lies uncompressed: in the message itself as a rule. */
  bytes: Uint8Array = new Uint8Array(0);
  nameAt = 0;
  nameEnd = 0;
  /** In the message. */
  typeAt = 0;
  /** Behind the question. */
  end = 0;
  /** Of the name in lower case, the type and the class: what a response repeats of its query. Never 0. */
  hash = 0;
  readonly #seed: number;
  #copy: Uint8Array | undefined;

  /** @param seed of the hash, so that a sender cannot make questions whose hashes collide */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  /** Look at the message from `start` to `end`, whose header is there. */
  scan(bytes: Uint8Array, start: number, end: number): void {
    const at = start + HEADER;
    if (u16(bytes, start + SECTION.questions) === 0) {
      this.state = 'none';
      this.end = at;
      return;
    }
    let position = at;
    const stop = Math.min(end, at + NAME_MAXIMUM);
    for (let length = -1; length !== 0; position += 1 + length) {
      if (position >= stop) {
        this.state = position >= end ? 'cut' : 'bad';
        return;
      }
      length = bytes[position] as number;
      if (length > 63) {
        this.#compressed(bytes, start, end);
        return;
      }
    }
    if (position > stop) {
      this.state = position > end ? 'cut' : 'bad';
      return;
    }
    this.bytes = bytes;
    this.nameAt = at;
    this.nameEnd = position;
    this.#finish(bytes, position, end);
  }

  /** Nothing is before the first name that it could point to but the header: distinguished because some senders point there. */
  #compressed(bytes: Uint8Array, start: number, end: number): void {
    const name = readName(bytes, start, start + HEADER, end);
    if (name === undefined) {
      this.state = 'bad';
      return;
    }
    this.#copy ??= new Uint8Array(NAME_MAXIMUM);
    this.#copy.set(name.wire);
    this.bytes = this.#copy;
    this.nameAt = 0;
    this.nameEnd = name.length;
    this.#finish(bytes, name.end, end);
  }

  #finish(bytes: Uint8Array, at: number, end: number): void {
    if (at + 4 > end) {
      this.state = 'cut';
      return;
    }
    this.typeAt = at;
    this.end = at + 4;
    // The upper bit of the class asks mDNS for a unicast answer: not part of the question (RFC 6762, section 5.4).
    const kind = (u16(bytes, at) << 16) | (u16(bytes, at + 2) & 0x7fff);
    const hash = Math.imul(caselessHash(this.bytes, this.nameAt, this.nameEnd, this.#seed) ^ kind, 0x85ebca6b);
    this.hash = hash ^ (hash >>> 13) || 1;
    this.state = 'whole';
  }
}

/** Hash of a name whatever its letters' case, four bytes at a time; some other bytes are not distinguished either. */
function caselessHash(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed ^ (end - start);
  let at = start;
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(hash ^ (i32(bytes, at) | 0x20202020), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; at < end; at += 1) hash = Math.imul(hash ^ (u8(bytes, at) | 0x20), 0x01000193);
  return hash;
}

/** Behind `count` questions. @returns -1 when one of them is not whole */
export function skipQuestions(bytes: Uint8Array, at: number, end: number, count: number): number {
  let position = at;
  for (let index = 0; index < count; index += 1) {
    position = skipName(bytes, position, end);
    if (position < 0 || position + 4 > end) return -1;
    position += 4;
  }
  return position;
}

/** Behind the record at `at`. @returns -1 when it is not whole */
export function skipRecord(bytes: Uint8Array, at: number, end: number): number {
  const behind = skipName(bytes, at, end);
  if (behind < 0 || behind + RECORD_FIXED > end) return -1;
  const next = behind + RECORD_FIXED + u16(bytes, behind + 8);
  return next <= end ? next : -1;
}
