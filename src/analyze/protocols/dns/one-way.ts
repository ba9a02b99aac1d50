import { u8, u16 } from '../../bytes.ts';
import type { Message, Notice, Side } from '../../record/event.ts';
import { exchangeFields, type MessageDetail } from './detail.ts';
import { FLAG, HEADER, opcodeOf, SECTION } from './message.ts';
import { nameText, readName } from './name.ts';
import { OPCODE, typeName } from './numbers.ts';
import { outcomeOf, type Question, questionOf } from './question.ts';

/** Of a message's flags: the response code, without what EDNS adds. */
const RCODE = 0xf;

/** Whether a response was sent without a query of its flow: without an id and a question (RFC 6762, section 18). */
export function isAnnouncement(bytes: Uint8Array, start: number): boolean {
  if (u16(bytes, start) !== 0 || u16(bytes, start + SECTION.questions) !== 0) return false;
  if (u16(bytes, start + SECTION.answers) === 0) return false;
  return opcodeOf(u16(bytes, start + 2)) === OPCODE.query;
}

/**
 * Whether a query is one that mDNS or LLMNR sends to all: no flag set but mDNS's for known answers that go on, and its
 * id is 0 (RFC 6762, section 18.1) or its name a single label without EDNS (LLMNR, RFC 4795). A resolver's stub wants
 * recursion, and a resolver has EDNS.
 */
export function isToAll(bytes: Uint8Array, start: number, question: Question): boolean {
  if ((u16(bytes, start + 2) & ~FLAG.truncated) !== 0 || question.name === undefined) return false;
  if (u16(bytes, start) === 0) return true;
  if (u16(bytes, start + SECTION.additional) !== 0) return false;
  const length = u8(bytes, start + HEADER);
  return length > 0 && length < 64 && u8(bytes, start + HEADER + 1 + length) === 0;
}

/**
 * The event of an mDNS announcement, by its first record.
 * @returns undefined when that is invalid
 */
export function announcement(
  from: Side,
  bytes: Uint8Array,
  start: number,
  end: number,
  time: number,
  wireLength: number,
  more: MessageDetail | undefined,
): Message | undefined {
  const name = readName(bytes, start, start + HEADER, end);
  if (name === undefined || name.end + 2 > end) return undefined;
  const type = typeName(u16(bytes, name.end));
  const question = questionOf(nameText(name.wire, 0, name.length), type, OPCODE.query);
  const fields = more === undefined ? question.fields(0) : exchangeFields(question, 0, 0, undefined, more);
  return { kind: 'message', protocol: 'dns', time, from, bytes: wireLength, label: question.label, fields };
}

/** An answer to a query that was sent to many, by one of them: from another address than the query went to. */
export function answerToMany(
  from: Side,
  time: number,
  wireLength: number,
  question: Question,
  flags: number,
  more: MessageDetail | undefined,
): Message {
  const rcode = flags & RCODE;
  const fields = more === undefined ? question.fields(rcode) : exchangeFields(question, rcode, 0, undefined, more);
  return { kind: 'message', protocol: 'dns', time, from, bytes: wireLength, label: question.label, fields };
}

/** A second answer to a query: a server's fault, or somebody else's answer. */
export function answeredAgain(
  from: Side,
  time: number,
  question: Question,
  rcode: number,
  more: MessageDetail | undefined,
): Notice {
  const fields = more === undefined ? question.fields(rcode) : exchangeFields(question, rcode, 0, undefined, more);
  const label = `answered again: ${question.label} ${outcomeOf(rcode).status}`;
  return { kind: 'event', protocol: 'dns', code: 'DNS_ANSWERED_AGAIN', label, time, from, failed: false, fields };
}

/** The event for bytes that should be a message and are not. */
export function malformed(label: string, from: Side, time: number): Notice {
  const fields = { dns: { malformed: true } };
  return { kind: 'event', protocol: 'dns', code: 'DNS_MALFORMED', label, time, from, failed: false, fields };
}
