import { i32, u8, u16 } from '../../bytes.ts';
import type { Fields } from '../../record/event.ts';
import { SHARED_PLACES, sharedFields } from '../../record/shared-fields.ts';
import { nameText } from './name.ts';
import { isFailure, OPCODE, opcodeName, rcodeName, typeName } from './numbers.ts';

/** Questions remembered: a power of two. What is asked of a cluster's DNS is the same few thousand over and over. */
const SLOTS = SHARED_PLACES;
/**
 * Questions that share a place: of 500 more than 4 would in one of six runs (the hash differs), and drive one another out
 * all the time.
 */
const WAYS = 8;

/** Bytes of a question's key that are compared in the table: longer names (and their answers) are made anew each time. */
const WIDTH = 128;

/** Response codes whose fields are kept ready, one set for each question. */
export const READY_RCODES = 16;

/** How an exchange ended, from its parts. */
export interface Outcome {
  readonly status: string;
  readonly failed: boolean;
}

/** What was asked: made once for each question, as long as the table remembers it. */
export class Question {
  /** As sent, for the case of its letters may be the requester's nonce. */
  readonly name: string | undefined;
  readonly type: string | undefined;
  readonly label: string;
  readonly route: string;
  /** The addresses last reported as its answer (ResponseScan), and by which dialogue. */
  reported = 0;
  reportedBy = 0;
  /** Its slot in the table; -1 for one that is not remembered. */
  slot = -1;
  readonly #fields: (Fields | undefined)[] = [];

  constructor(name: string | undefined, type: string | undefined, label: string, route: string) {
    this.name = name;
    this.type = type;
    this.label = label;
    this.route = route;
  }

  /** The fields that every event has. @param rcode -1 without a response */
  fields(rcode: number): Fields {
    if (rcode >= READY_RCODES) return { dns: { name: this.name, type: this.type, rcode: rcodeName(rcode) } };
    let fields = this.#fields[rcode + 1];
    if (fields === undefined) {
      fields = { dns: { name: this.name, type: this.type, rcode: rcode < 0 ? undefined : rcodeName(rcode) } };
      if (rcode >= 0 && this.slot >= 0) sharedFields(fields, this.slot);
      this.#fields[rcode + 1] = fields;
    }
    return fields;
  }
}

/**
 * A message without a question: RFC 7873 allows it, errors to what was not understood have it. One word, for a label is
 * a type and a name with a space between, or a name.
 */
export const NO_QUESTION = new Question(undefined, undefined, '(no-question)', '(no-question)');

/** A message that the capture cut before its question's end. */
export const CUT_QUESTION = new Question(undefined, undefined, '(cut-question)', '(cut-question)');

const OUTCOMES: readonly Outcome[] = Array.from({ length: 32 }, (_, rcode) => outcome(rcode));

export function outcomeOf(rcode: number): Outcome {
  return OUTCOMES[rcode] ?? outcome(rcode);
}

function outcome(rcode: number): Outcome {
  return { status: rcodeName(rcode), failed: isFailure(rcode) };
}

/** Questions by their bytes, so that their texts are made once. */
export class QuestionTable {
  readonly #keys = new Uint8Array(SLOTS * WIDTH);
  readonly #lengths = new Uint8Array(SLOTS);
  readonly #opcodes = new Uint8Array(SLOTS);
  /** Of every place: which of its slots is filled next. */
  readonly #next = new Uint8Array(SLOTS / WAYS);
  readonly #questions: (Question | undefined)[] = new Array(SLOTS).fill(undefined);
  /** By slot: the question's number, and what was last reported of it. Beside the questions, which are seldom in the processor's cache. */
  readonly #numbers = new Float64Array(SLOTS);
  readonly #reported = new Int32Array(SLOTS);
  readonly #reportedBy = new Int32Array(SLOTS);
  #made = 0;
  /** Of the question that `get` returned last: a number that no other question has; 0 for one that is not remembered. */
  number = 0;

  /**
   * @param bytes with a name that is not compressed, from `at` to `nameEnd`
   * @param message with its type at `typeAt`
   * @param hash of both
   */
  get(
    bytes: Uint8Array,
    at: number,
    nameEnd: number,
    message: Uint8Array,
    typeAt: number,
    hash: number,
    opcode: number,
  ): Question {
    const length = nameEnd - at;
    const type = u16(message, typeAt);
    this.number = 0;
    if (length + 2 > WIDTH) return makeQuestion(bytes, at, nameEnd, type, opcode);
    const first = (hash ^ (hash >>> 16)) & (SLOTS - WAYS);
    for (let slot = first; slot < first + WAYS; slot += 1) {
      const known = this.#questions[slot];
      if (known === undefined) break;
      if (this.#lengths[slot] !== length || this.#opcodes[slot] !== opcode) continue;
      if (!this.#is(slot * WIDTH, bytes, at, length, type)) continue;
      this.number = this.#numbers[slot] as number;
      return known;
    }
    // The oldest of those that share the place goes.
    const slot = first + ((this.#next[first / WAYS] as number) & (WAYS - 1));
    this.#next[first / WAYS] = slot - first + 1;
    const base = slot * WIDTH;
    const question = makeQuestion(bytes, at, nameEnd, type, opcode);
    question.slot = slot;
    this.#questions[slot] = question;
    this.#lengths[slot] = length;
    this.#opcodes[slot] = opcode;
    for (let index = 0; index < length; index += 1) this.#keys[base + index] = u8(bytes, at + index);
    this.#keys[base + length] = type >> 8;
    this.#keys[base + length + 1] = type & 0xff;
    this.#made += 1;
    this.number = this.#made * SLOTS + slot;
    this.#numbers[slot] = this.number;
    this.#reportedBy[slot] = 0;
    return question;
  }

  /** The addresses of a question's answer were reported. @param by which dialogue, from 1 */
  report(question: Question, addresses: number, by: number): void {
    question.reported = addresses;
    question.reportedBy = by;
    const { slot } = question;
    if (slot < 0 || this.#questions[slot] !== question) return;
    this.#reported[slot] = addresses;
    this.#reportedBy[slot] = by;
  }

  /** Whether the addresses of an answer were reported last. @param number of a question */
  isReported(number: number, addresses: number, by: number): boolean {
    const slot = number & (SLOTS - 1);
    return this.#numbers[slot] === number && this.#reportedBy[slot] === by && this.#reported[slot] === addresses;
  }

  #is(base: number, bytes: Uint8Array, at: number, length: number, type: number): boolean {
    const keys = this.#keys;
    if (((u8(keys, base + length) << 8) | u8(keys, base + length + 1)) !== type) return false;
    let index = 0;
    for (; index + 4 <= length; index += 4) if (i32(keys, base + index) !== i32(bytes, at + index)) return false;
    for (; index < length; index += 1) if (keys[base + index] !== bytes[at + index]) return false;
    return true;
  }
}

function makeQuestion(bytes: Uint8Array, at: number, nameEnd: number, type: number, opcode: number): Question {
  const name = nameText(bytes, at, nameEnd);
  return questionOf(name, typeName(type), opcode);
}

/** The summary's rows ignore case, which has no meaning (RFC 4343). */
export function questionOf(name: string, type: string, opcode: number): Question {
  const what = opcode === OPCODE.query ? type : opcodeName(opcode);
  return new Question(name, type, `${what} ${name.toLowerCase()}`, what);
}
