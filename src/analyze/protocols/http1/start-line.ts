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

/** By a method's first letter: the methods, as octets with the space behind them. */
const BY_LETTER: readonly (readonly { readonly name: string; readonly octets: Uint8Array }[] | undefined)[] =
  byLetter();

function byLetter() {
  const table: { name: string; octets: Uint8Array }[][] = [];
  for (const name of METHODS) {
    const letter = name.charCodeAt(0);
    table[letter] = [...(table[letter] ?? []), { name, octets: Uint8Array.from(Buffer.from(`${name} `, 'latin1')) }];
  }
  return table;
}

/** The method a request line begins with; undefined when it is none, or more octets are needed. */
export function methodAt(bytes: Uint8Array, start: number, end: number): string | undefined {
  for (const { name, octets } of BY_LETTER[bytes[start] as number] ?? []) {
    if (end - start >= octets.length && begins(bytes, start, octets, octets.length)) return name;
  }
  return unlistedMethodAt(bytes, start, end);
}

/** Methods that are not listed: capital letters, `_` and `-`, so many of them. */
const UNLISTED_MINIMUM = 4;
const UNLISTED_MAXIMUM = 24;

/** A method of no list, before an absolute path. */
function unlistedMethodAt(bytes: Uint8Array, start: number, end: number): string | undefined {
  let at = start;
  const limit = Math.min(end, start + UNLISTED_MAXIMUM + 1);
  while (at < limit && isMethodOctet(bytes[at] as number)) at += 1;
  if (at - start < UNLISTED_MINIMUM || at + 1 >= end || bytes[at] !== SPACE || bytes[at + 1] !== SLASH)
    return undefined;
  return latin1(bytes, start, at);
}

function isMethodOctet(octet: number): boolean {
  return (octet >= 0x41 && octet <= 0x5a) || octet === 0x5f || octet === 0x2d;
}

/** Empty lines before a message that are believed to be somebody's mistake (RFC 9112, section 2.2). */
const EMPTY_LINES_OCTETS = 4;

/** What a message's first octets look like. */
export function startLineLikeness(bytes: Uint8Array, from: number, end: number): Likeness {
  let start = from;
  while (start < end && start - from < EMPTY_LINES_OCTETS && (bytes[start] === CR || bytes[start] === LF)) start += 1;
  const available = end - start;
  if (available === 0) return 'more';
  let likeness: Likeness = 'no';
  if (bytes[start] === 0x48 && versionAt(bytes, start, end)) {
    if (available > VERSION.length + 1) return 'server';
    likeness = 'more';
  }
  for (const { octets } of BY_LETTER[bytes[start] as number] ?? []) {
    if (!begins(bytes, start, octets, Math.min(available, octets.length))) continue;
    if (available <= octets.length) {
      likeness = 'more';
      continue;
    }
    const target = bytes[start + octets.length] as number;
    // A path, an absolute URI or a host, `*`: something printable.
    return target > SPACE && target < 0x7f ? 'client' : 'no';
  }
  if (likeness === 'no' && unlistedMethodAt(bytes, start, end) !== undefined) return 'client';
  return likeness;
}

/** Whether it is, as far as it goes, a status line's `HTTP/1.`. @param text or another that it may begin with */
export function versionAt(bytes: Uint8Array, start: number, end: number, text = VERSION): boolean {
  const length = Math.min(text.length, end - start);
  for (let index = 0; index < length; index += 1) if (bytes[start + index] !== text.charCodeAt(index)) return false;
  return true;
}

function begins(bytes: Uint8Array, start: number, octets: Uint8Array, length: number): boolean {
  for (let index = 0; index < length; index += 1) if (bytes[start + index] !== octets[index]) return false;
  return true;
}
