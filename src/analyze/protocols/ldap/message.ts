import { u8 } from '../../bytes.ts';
import { SIDE, type Side } from '../../record/event.ts';
import type { Likeness } from '../protocol.ts';
import { BER_HEADER_MAXIMUM, Element } from './ber.ts';

/** Operations by their tag (RFC 4511, section 4). */
export const OPERATION = {
  bind: 0x60,
  bindResponse: 0x61,
  unbind: 0x42,
  search: 0x63,
  searchEntry: 0x64,
  searchDone: 0x65,
  searchReference: 0x73,
  modify: 0x66,
  add: 0x68,
  delete: 0x4a,
  modifyDn: 0x6c,
  compare: 0x6e,
  abandon: 0x50,
  extended: 0x77,
  extendedResponse: 0x78,
  intermediate: 0x79,
} as const;

const TAG = { sequence: 0x30, integer: 0x02, text: 0x04, enumerated: 0x0a, controls: 0xa0, name: 0x80 } as const;

/** The first element of each operation, by side; 0 where anything, or nothing, may come first. */
const FIRST: readonly ReadonlyMap<number, number>[] = [
  new Map([
    [OPERATION.bind, TAG.integer],
    [OPERATION.unbind, 0],
    [OPERATION.search, TAG.text],
    [OPERATION.modify, TAG.text],
    [OPERATION.add, TAG.text],
    [OPERATION.delete, 0],
    [OPERATION.modifyDn, TAG.text],
    [OPERATION.compare, TAG.text],
    [OPERATION.abandon, 0],
    [OPERATION.extended, TAG.name],
  ]),
  new Map([
    ...[0x61, 0x65, 0x67, 0x69, 0x6b, 0x6d, 0x6f, 0x78].map((tag) => [tag, TAG.enumerated] as const),
    [OPERATION.searchEntry, TAG.text],
    [OPERATION.searchReference, TAG.text],
    [OPERATION.intermediate, 0],
  ]),
];

/** Answers that end a request. */
export const RESULTS: ReadonlySet<number> = new Set([0x61, 0x65, 0x67, 0x69, 0x6b, 0x6d, 0x6f, 0x78]);

/** Least bytes of a message: its header, a number, an operation without content. */
export const HEADER = 2;
export const HEADER_MAXIMUM = BER_HEADER_MAXIMUM;
const CONTENT_MINIMUM = 5;
/** Largest message that is believed: servers take some MiB. */
const MESSAGE_MAXIMUM = 64 * 1024 * 1024;

/** Bytes that show whether a message begins: its header, its number, the headers of its operation and of what comes first in it. */
export const SEEK = 3 * BER_HEADER_MAXIMUM + 6;

/** Bytes of the length before what a SASL security layer protects (RFC 4422, section 3.7). */
const SEALED_HEADER = 4;
const SEALED_MAXIMUM = 16 * 1024 * 1024;

const outer = new Element();
const inner = new Element();

/**
 * A message's whole length; 0 for what is none, undefined where its header is not whole.
 * @param sealed a SASL security layer may protect what follows: a length, and bytes that are not LDAP's
 */
export function ldapLength(bytes: Uint8Array, start: number, end: number, sealed: boolean): number | undefined {
  if (sealed && u8(bytes, start) === 0) {
    if (end - start < SEALED_HEADER) return undefined;
    const length = (u8(bytes, start + 1) << 16) | (u8(bytes, start + 2) << 8) | u8(bytes, start + 3);
    return length > SEALED_MAXIMUM ? 0 : SEALED_HEADER + length;
  }
  if (u8(bytes, start) !== TAG.sequence) return 0;
  const isHeader = outer.read(bytes, start, end);
  if (isHeader !== true) return isHeader === undefined ? undefined : 0;
  const length = outer.end - start;
  return outer.end - outer.start < CONTENT_MINIMUM || length > MESSAGE_MAXIMUM ? 0 : length;
}

export function isSealed(bytes: Uint8Array, start: number): boolean {
  return u8(bytes, start) === 0;
}

/** One message: its number, and its operation as an element, which is reused by the next call. */
export interface LdapMessage {
  readonly id: number;
  readonly operation: Element;
}

/** Reads a message that ldapLength has measured; undefined where it is none. */
export function readMessage(bytes: Uint8Array, start: number, end: number): LdapMessage | undefined {
  if (outer.read(bytes, start, end) !== true || inner.read(bytes, outer.start, end) !== true) return undefined;
  const id = inner.tag === TAG.integer ? inner.number(bytes, end) : Number.NaN;
  if (!(id >= 0) || !inner.next(bytes, end)) return undefined;
  return { id, operation: inner };
}

/** Whether a message of a side begins here; undefined where that takes more bytes. */
export function ldapBegins(side: Side, bytes: Uint8Array, start: number, end: number): boolean | undefined {
  if (u8(bytes, start) !== TAG.sequence) return false;
  const isMessage = outer.read(bytes, start, end);
  if (isMessage !== true) return isMessage;
  const length = outer.end - outer.start;
  if (length < CONTENT_MINIMUM || length > MESSAGE_MAXIMUM) return false;
  const limit = outer.end;
  if (outer.start < end && u8(bytes, outer.start) !== TAG.integer) return false;
  const isNumber = inner.read(bytes, outer.start, end);
  if (isNumber !== true) return isNumber;
  const digits = inner.end - inner.start;
  if (digits < 1 || digits > 4) return false;
  if (inner.end + 2 > end) return undefined;
  if (u8(bytes, inner.start) >= 0x80) return false;
  const first = (FIRST[side] as ReadonlyMap<number, number>).get(u8(bytes, inner.end));
  if (first === undefined) return false;
  const isOperation = inner.read(bytes, inner.end, end);
  if (isOperation !== true) return isOperation;
  // Controls may follow it, and nothing else.
  if (inner.end > limit || (inner.end < limit && inner.end < end && u8(bytes, inner.end) !== TAG.controls))
    return false;
  if (inner.tag === OPERATION.unbind) return inner.end === inner.start;
  if (inner.tag === OPERATION.abandon) return inner.end - inner.start <= 4 && inner.end > inner.start;
  if (inner.start >= end) return undefined;
  if (first === 0)
    return inner.end > inner.start && (inner.tag !== OPERATION.delete || isName(bytes, inner.start, end));
  if (u8(bytes, inner.start) !== first) return false;
  const { end: operationEnd } = inner;
  const isFirst = inner.read(bytes, inner.start, end);
  return isFirst === true ? inner.end <= operationEnd : isFirst;
}

/** What a connection's first bytes, or those of a message, look like. */
export function ldapLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  if (u8(bytes, start) !== TAG.sequence) return 'no';
  const isClient = ldapBegins(SIDE.client, bytes, start, end);
  if (isClient === true) return 'client';
  const isServer = ldapBegins(SIDE.server, bytes, start, end);
  if (isServer === true) return 'server';
  return isClient === undefined || isServer === undefined ? 'more' : 'no';
}

/** Whether what may be a distinguished name has no controls at its beginning. */
function isName(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < Math.min(end, start + 4); at += 1) if (u8(bytes, at) < 0x20) return false;
  return true;
}
