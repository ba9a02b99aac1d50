import { latin1 } from '../../record/text.ts';
import type { Likeness } from '../protocol.ts';

/** Methods of the IANA registry that are met, and UPnP's. */
const METHODS = [
  'GET',
  'POST',
  'HEAD',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'CONNECT',
  'TRACE',
  'PROPFIND',
  'PROPPATCH',
  'MKCOL',
  'COPY',
  'MOVE',
  'LOCK',
  'UNLOCK',
  'REPORT',
  'SEARCH',
  'MKCALENDAR',
  'NOTIFY',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'M-SEARCH',
  'PURGE',
  'LINK',
  'UNLINK',
  // WebDAV's access control (RFC 3744), and Varnish's.
  'ACL',
  'BAN',
] as const;

const VERSION = 'HTTP/1.';
const LF = 10;
const CR = 13;
const SPACE = 0x20;
const SLASH = 0x2f;

/** By a method's first letter: the methods, as bytes with the space behind them. */
const BY_LETTER: readonly (readonly { readonly name: string; readonly word: Uint8Array }[] | undefined)[] = byLetter();

function byLetter() {
  const table: { name: string; word: Uint8Array }[][] = [];
  for (const name of METHODS) {
    const letter = name.charCodeAt(0);
    table[letter] = [...(table[letter] ?? []), { name, word: Uint8Array.from(Buffer.from(`${name} `, 'latin1')) }];
  }
  return table;
}

/** The method a request line begins with; undefined for any other text, or when more bytes are needed. */
export function methodAt(bytes: Uint8Array, start: number, end: number): string | undefined {
  for (const { name, word } of BY_LETTER[bytes[start] as number] ?? []) {
    if (end - start >= word.length && begins(bytes, start, word, word.length)) return name;
  }
  return unlistedMethodAt(bytes, start, end);
}

/** Methods that are not listed: capital letters, `_` and `-`, so many of them. */
const UNLISTED_MINIMUM = 4;
const UNLISTED_MAXIMUM = 24;

/** A method of no list, before an absolute path. */
function unlistedMethodAt(bytes: Uint8Array, start: number, end: number): string | undefined {
  let at = start;
  const limit = Math.min(end, start + UNLISTED_MAXIMUM);
  while (at < limit && isMethodByte(bytes[at] as number)) at += 1;
  if (at - start < UNLISTED_MINIMUM || at + 1 >= end || bytes[at] !== SPACE || bytes[at + 1] !== SLASH)
    return undefined;
  return latin1(bytes, start, at);
}

function isMethodByte(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || byte === 0x5f || byte === 0x2d;
}

/** Empty lines before a message that are believed to be a mistake (RFC 9112, section 2.2). */
const EMPTY_LINES_BYTES = 4;

/** Bytes at a request line's end in which its version is looked for: it may be misspelt. */
const VERSION_LOOK = 16;

/**
 * What a message's first bytes look like. A request line has ` HTTP/` at its end (NATS, SIP and RTSP have lines with the
 * same methods), or is HTTP/0.9's `GET /path` alone.
 */
export function startLineLikeness(bytes: Uint8Array, from: number, end: number): Likeness {
  let start = from;
  while (start < end && start - from < EMPTY_LINES_BYTES && (bytes[start] === CR || bytes[start] === LF)) start += 1;
  const available = end - start;
  if (available === 0) return 'more';
  if (bytes[start] === 0x48 && versionAt(bytes, start, end)) {
    if (available > VERSION.length + 1) return 'server';
    return 'more';
  }
  let likeness: Likeness = 'no';
  for (const { word } of BY_LETTER[bytes[start] as number] ?? []) {
    if (!begins(bytes, start, word, Math.min(available, word.length))) continue;
    if (available > word.length) return requestLikeness(bytes, start, start + word.length, end);
    likeness = 'more';
  }
  const unlisted = likeness === 'no' ? unlistedMethodAt(bytes, start, end) : undefined;
  if (unlisted === undefined) return likeness;
  const line = requestLikeness(bytes, start, start + unlisted.length + 1, end);
  // An unknown method and a path, without the version, are not enough.
  return line === 'client' && endOfLine(bytes, start, end) === end ? 'more' : line;
}

/** Of a line that begins with a method. @param target where what follows the method starts; before `end` */
function requestLikeness(bytes: Uint8Array, start: number, target: number, end: number): Likeness {
  const first = bytes[target] as number;
  // A path, an absolute URI or a host, `*`: something printable.
  if (first <= SPACE || first >= 0x7f) return 'no';
  const lineEnd = endOfLine(bytes, target, end);
  const isPath = first === SLASH;
  if (lineEnd === end) return isPath || urlAt(bytes, target, end) ? 'client' : 'more';
  const last = withoutBlanks(bytes, target, lineEnd);
  if (versionStart(bytes, target, last) < last) return 'client';
  return isSimpleRequest(bytes, start, target, last) && blank(bytes, lineEnd, end) ? 'client' : 'no';
}

/**
 * HTTP/0.9's request (RFC 1945, section 4.1): `GET`, a path, and no version.
 * @param target where the path starts @param last where the line ends, without blanks and its line feed
 */
export function isSimpleRequest(bytes: Uint8Array, start: number, target: number, last: number): boolean {
  if (target - start !== 4 || bytes[start] !== 0x47 || bytes[target] !== SLASH) return false;
  for (let at = target; at < last; at += 1) if ((bytes[at] as number) <= SPACE) return false;
  return true;
}

/** Where a request line's target ends before ` HTTP/`, also one cut short or misspelt; `end` without. */
export function versionStart(bytes: Uint8Array, start: number, end: number): number {
  const limit = Math.max(start, end - VERSION_LOOK);
  for (let at = end - 1; at >= limit; at -= 1) {
    if (bytes[at] !== SPACE) continue;
    return at + 1 < end && versionAt(bytes, at + 1, end, 'HTTP/') ? at : end;
  }
  return end;
}

/** Where a line ends without the blanks and carriage returns before its line feed. */
export function withoutBlanks(bytes: Uint8Array, start: number, end: number): number {
  let last = end;
  while (last > start && (bytes[last - 1] === CR || bytes[last - 1] === SPACE)) last -= 1;
  return last;
}

/** Where a line's line feed is; `end` when it has not come. */
export function endOfLine(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== LF) at += 1;
  return at;
}

function urlAt(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start >= 7 && versionAt(bytes, start, start + 7, 'http://');
}

function blank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (bytes[at] !== CR && bytes[at] !== LF) return false;
  return true;
}

/** Whether it is, as far as it goes, a status line's `HTTP/1.`. @param text or another that it may begin with */
export function versionAt(bytes: Uint8Array, start: number, end: number, text = VERSION): boolean {
  const length = Math.min(text.length, end - start);
  for (let index = 0; index < length; index += 1) if (bytes[start + index] !== text.charCodeAt(index)) return false;
  return true;
}

function begins(bytes: Uint8Array, start: number, word: Uint8Array, length: number): boolean {
  for (let index = 0; index < length; index += 1) if (bytes[start + index] !== word[index]) return false;
  return true;
}
