import { u8, u16 } from '../../bytes.ts';
import type { Likeness } from '../protocol.ts';
import { FLAG, HEADER, opcodeOf, SECTION, skipQuestions, skipRecord } from './message.ts';
import { skipName } from './name.ts';
import { isKnownClass, isKnownType, OPCODE, TYPE } from './numbers.ts';

/** Records a message is believed to have. */
const RECORDS_SANE = 1000;

/** Bytes of a query from which on its records are not waited for: one that brings keys or a zone's changes. */
export const LARGE_QUERY = 512;

/** `MS` */
const MICROSOFT = 0x4d53;

/** Bytes of a NetBIOS name, all of `A` to `P` (RFC 1001, section 14.1): port 137 has DNS's form. */
const NETBIOS_NAME = 32;

/**
 * One datagram that came from, or went to, a port of DNS's.
 * @param end where the capture may have cut it
 */
export function hintedLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  if (end - start < HEADER || !isHeader(bytes, start)) return 'no';
  const first = start + HEADER;
  // A label's length. The rest is not checked: an invalid rest is reported as malformed.
  if (u16(bytes, start + SECTION.questions) > 0 && first < end && (u8(bytes, first) & 0xc0) === 0x40) return 'no';
  return side(bytes, start);
}

/** A whole message that may be anything else: it has to be right to its last byte. */
export function strictLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const position = readable(bytes, start, end);
  return position === end ? side(bytes, start) : 'no';
}

/** A message of a stream, whose length is stated: it has to be right to its last byte, Microsoft's mark apart. */
export function messageLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const position = readable(bytes, start, end);
  return position === end || (position >= 0 && isMark(bytes, position, end)) ? side(bytes, start) : 'no';
}

/** Behind a transfer's query old Windows servers write `MS`: they take several records in a message. */
function isMark(bytes: Uint8Array, at: number, end: number): boolean {
  return end - at === 2 && u16(bytes, at) === MICROSOFT;
}

/**
 * The first bytes of a stream (RFC 1035, section 4.2.2; RFC 7766).
 * @returns `more` as long as the question is not there
 */
export function streamLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const at = start + 2;
  if (end < at) return 'more';
  const length = u16(bytes, start);
  if (length < HEADER + 5) return 'no';
  if (at + length <= end) return messageLikeness(bytes, at, at + length);
  if (end < at + HEADER) return 'more';
  if (!isHeader(bytes, at) || !isUsual(bytes, at)) return 'no';
  const question = skipName(bytes, at + HEADER, end);
  if (question < 0 || question + 4 > end) return end - at < HEADER + 260 ? partialName(bytes, at + HEADER, end) : 'no';
  if (!isUsualQuestion(bytes, at, question)) return 'no';
  // Nearly every query is small enough to be whole; of a response the question is proof enough.
  if ((u16(bytes, at + 2) & FLAG.response) !== 0) return 'server';
  return end - at >= LARGE_QUERY ? 'client' : 'more';
}

function side(bytes: Uint8Array, start: number): Likeness {
  return (u16(bytes, start + 2) & FLAG.response) === 0 ? 'client' : 'server';
}

/** What every message has: a known opcode, a query without a response code, counts that make sense. */
function isHeader(bytes: Uint8Array, start: number): boolean {
  const flags = u16(bytes, start + 2);
  const opcode = opcodeOf(flags);
  if (opcode > 6 || opcode === 3) return false;
  if ((flags & FLAG.response) === 0 && (flags & 15) !== 0) return false;
  const questions = u16(bytes, start + SECTION.questions);
  const answers = u16(bytes, start + SECTION.answers);
  const records = answers + u16(bytes, start + SECTION.authority) + u16(bytes, start + SECTION.additional);
  return questions <= 64 && records <= RECORDS_SANE;
}

/** What nearly every message has: one question, a query nothing but it and little that is additional. */
function isUsual(bytes: Uint8Array, start: number): boolean {
  const flags = u16(bytes, start + 2);
  const opcode = opcodeOf(flags);
  if (opcode !== OPCODE.query && opcode !== OPCODE.notify && opcode !== OPCODE.update) return false;
  if ((flags & FLAG.zero) !== 0 || u16(bytes, start + SECTION.questions) !== 1) return false;
  if ((flags & FLAG.response) !== 0 || opcode === OPCODE.update) return true;
  if ((flags & FLAG.recursionAvailable) !== 0 || u16(bytes, start + SECTION.additional) > 2) return false;
  if (opcode === OPCODE.notify) return u16(bytes, start + SECTION.answers) <= 1;
  // IXFR has what it has in the authority section (RFC 1995, section 3).
  return u16(bytes, start + SECTION.answers) === 0 && u16(bytes, start + SECTION.authority) <= 1;
}

/** Behind all records of a usual message. @returns -1 for anything else */
function readable(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < HEADER + 5 || !isHeader(bytes, start) || !isUsual(bytes, start)) return -1;
  const question = skipName(bytes, start + HEADER, end);
  if (question < 0 || question + 4 > end || !isUsualQuestion(bytes, start, question)) return -1;
  const records =
    u16(bytes, start + SECTION.answers) +
    u16(bytes, start + SECTION.authority) +
    u16(bytes, start + SECTION.additional);
  let position = skipQuestions(bytes, start + HEADER, end, 1);
  for (let index = 0; index < records && position >= 0; index += 1) {
    const behind = skipName(bytes, position, end);
    if (behind < 0 || behind + 2 > end || !isKnownType(u16(bytes, behind))) return -1;
    position = skipRecord(bytes, position, end);
  }
  return position;
}

/** @param at behind the first question's name */
function isUsualQuestion(bytes: Uint8Array, start: number, at: number): boolean {
  const first = start + HEADER;
  if ((u8(bytes, first) & 0xc0) !== 0) return false;
  // The root is asked for its servers and keys; an address it has not.
  if (u8(bytes, first) === 0 && u16(bytes, at) === TYPE.a) return false;
  return isKnownType(u16(bytes, at)) && isKnownClass(u16(bytes, at + 2)) && !isNetbiosName(bytes, first);
}

function isNetbiosName(bytes: Uint8Array, at: number): boolean {
  if (u8(bytes, at) !== NETBIOS_NAME) return false;
  for (let index = 1; index <= NETBIOS_NAME; index += 1) {
    const byte = u8(bytes, at + index);
    if (byte < 0x41 || byte > 0x50) return false;
  }
  return true;
}

/** Whether what is there of a name can be the beginning of one. */
function partialName(bytes: Uint8Array, at: number, end: number): Likeness {
  for (let position = at; position < end; position += u8(bytes, position) + 1) {
    if (u8(bytes, position) > 63) return 'no';
    if (u8(bytes, position) === 0) break;
  }
  return 'more';
}
