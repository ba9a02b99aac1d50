import { i32, u8, u16 } from '../../bytes.ts';
import type { Fields } from '../../record/event.ts';
import { ednsFields } from './edns.ts';
import { FLAG, HEADER, opcodeOf, RECORD_FIXED, SECTION } from './message.ts';
import { nameText, POINTER, readName } from './name.ts';
import { className, OPCODE, opcodeName, rcodeName, TYPE, typeName } from './numbers.ts';
import type { Question } from './question.ts';
import { dataText, genericText } from './rdata.ts';

/** Records shown of a message's section, and questions; the rest is counted in `omitted`. */
const RECORDS_MAXIMUM = 64;

/** All fields of a message. */
export interface MessageDetail {
  readonly id: number;
  readonly flags: number;
  readonly class: string | undefined;
  readonly questions: readonly Fields[];
  readonly answers: readonly Fields[];
  readonly authority: readonly Fields[];
  readonly additional: readonly Fields[];
  readonly edns: Fields | undefined;
  readonly omitted: number;
  readonly malformed: boolean;
}

/** Decode the message from `start` to `end`, whose header is there; as much of it as makes sense. @param whole see Dialogue */
export function messageDetail(bytes: Uint8Array, start: number, end: number, whole: boolean): MessageDetail {
  return new MessageReading(bytes, start, end).detail(whole);
}

/** Reads a message's records one after the other. */
class MessageReading {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  #at: number;
  /** A record, or question, was not whole: nothing behind it is known. */
  #stopped = false;
  #malformed = false;
  #omitted = 0;
  #edns: Fields | undefined;
  /** The first question's name, to which most answers' names are a pointer. */
  #firstName: string | undefined;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#at = start + HEADER;
  }

  detail(whole: boolean): MessageDetail {
    const flags = u16(this.#bytes, this.#start + 2);
    const questions = this.#section(SECTION.questions, () => this.#question());
    const answers = this.#section(SECTION.answers, () => this.#record());
    const authority = this.#section(SECTION.authority, () => this.#record());
    const additional = this.#section(SECTION.additional, () => this.#record());
    return {
      id: u16(this.#bytes, this.#start),
      flags,
      class: questions[0]?.class as string | undefined,
      questions,
      answers,
      authority,
      additional,
      edns: this.#edns,
      omitted: this.#omitted,
      malformed: this.#malformed || (this.#stopped && whole && (flags & FLAG.truncated) === 0),
    };
  }

  #section(countAt: number, read: () => Fields | undefined): Fields[] {
    const count = u16(this.#bytes, this.#start + countAt);
    const all: Fields[] = [];
    for (let index = 0; index < count && !this.#stopped; index += 1) {
      const fields = read();
      if (fields === undefined) continue;
      if (all.length < RECORDS_MAXIMUM) all.push(fields);
      else this.#omitted += 1;
    }
    return all;
  }

  #question(): Fields | undefined {
    const name = readName(this.#bytes, this.#start, this.#at, this.#end);
    if (name === undefined || name.end + 4 > this.#end) {
      this.#stopped = true;
      return undefined;
    }
    const at = name.end;
    this.#at = at + 4;
    const text = nameText(name.wire, 0, name.length);
    this.#firstName ??= text;
    return {
      name: text,
      type: typeName(u16(this.#bytes, at)),
      class: className(u16(this.#bytes, at + 2)),
    };
  }

  /** The name of a record at `#at`, and where it ends; undefined where it is none. */
  #owner(): { readonly text: string; readonly end: number } | undefined {
    const [bytes, at] = [this.#bytes, this.#at];
    const isFirst = at + 2 <= this.#end && u8(bytes, at) === POINTER && u8(bytes, at + 1) === HEADER;
    if (isFirst && this.#firstName !== undefined) return { text: this.#firstName, end: at + 2 };
    const name = readName(bytes, this.#start, at, this.#end);
    return name === undefined ? undefined : { text: nameText(name.wire, 0, name.length), end: name.end };
  }

  /** @returns undefined for one that is reported elsewhere: EDNS's */
  #record(): Fields | undefined {
    const bytes = this.#bytes;
    const name = this.#owner();
    if (name === undefined || name.end + RECORD_FIXED > this.#end) {
      this.#stopped = true;
      return undefined;
    }
    const at = name.end;
    const owner = name.text;
    const dataAt = at + RECORD_FIXED;
    const length = u16(bytes, at + 8);
    if (dataAt + length > this.#end) {
      this.#stopped = true;
      return undefined;
    }
    this.#at = dataAt + length;
    const type = u16(bytes, at);
    if (type === TYPE.opt) {
      const edns = ednsFields(bytes, at, dataAt + length);
      if (edns.malformed === true) this.#malformed = true;
      this.#edns ??= edns;
      return undefined;
    }
    let data = length === 0 ? '' : dataText(bytes, this.#start, dataAt, length, type);
    // Of no data at all are the records of updates' conditions (RFC 2136, section 2.4).
    if (data === undefined) {
      this.#malformed = true;
      data = genericText(bytes, dataAt, length);
    }
    const recordClass = className(u16(bytes, at + 2));
    return {
      name: owner,
      type: typeName(type),
      class: recordClass === 'IN' ? undefined : recordClass,
      ttl: i32(bytes, at + 4) >>> 0,
      data,
    };
  }
}

/**
 * All fields of an exchange, its parts as far as they are known.
 * @param rcode -1 where there is no response
 * @param repeats how often the query was sent again
 */
export function exchangeFields(
  question: Question,
  rcode: number,
  repeats: number,
  query: MessageDetail | undefined,
  response: MessageDetail | undefined,
): Fields {
  const { name, type } = question;
  const known = { name, type, rcode: rcode < 0 ? undefined : rcodeName(rcode) };
  const retransmissions = repeats > 0 ? repeats : undefined;
  const main = response ?? query;
  if (main === undefined) return { dns: { ...known, retransmissions } };
  const { flags } = main;
  const questioned = query ?? main;
  const isAnswer = response !== undefined;
  return {
    dns: {
      ...known,
      retransmissions,
      id: main.id,
      opcode: opcodeOf(flags) === OPCODE.query ? undefined : opcodeName(opcodeOf(flags)),
      class: questioned.class,
      authoritative: isAnswer ? (flags & FLAG.authoritative) !== 0 : undefined,
      truncated: (flags & FLAG.truncated) !== 0,
      recursionDesired: (flags & FLAG.recursionDesired) !== 0,
      recursionAvailable: isAnswer ? (flags & FLAG.recursionAvailable) !== 0 : undefined,
      authenticData: (flags & FLAG.authenticData) !== 0,
      checkingDisabled: (flags & FLAG.checkingDisabled) !== 0,
      questions: questioned.questions.length > 1 ? questioned.questions : undefined,
      answers: isAnswer ? response.answers : orNothing(main.answers),
      authority: orNothing(main.authority),
      additional: orNothing(main.additional),
      edns: response?.edns,
      requestEdns: query?.edns,
      omitted: main.omitted > 0 ? main.omitted : undefined,
      malformed: query?.malformed || response?.malformed || undefined,
    },
  };
}

function orNothing(list: readonly Fields[]): readonly Fields[] | undefined {
  return list.length > 0 ? list : undefined;
}
