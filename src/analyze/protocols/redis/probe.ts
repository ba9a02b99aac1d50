import { latin1 } from '../../record/text.ts';
import type { Likeness } from '../protocol.ts';
import { COMMANDS } from './commands.ts';
import { countAt } from './resp-reader.ts';

const ERROR = 0x2d;
const SIMPLE = 0x2b;
const ARRAY = 0x2a;
const PING = 'PING\r\n';

/** A line's end: where its CR is; -1 when it is not there. */
function lineEnd(bytes: Uint8Array, start: number, end: number): number {
  const limit = Math.min(end, start + 16);
  for (let at = start; at + 1 < limit; at += 1) if (bytes[at] === 13 && bytes[at + 1] === 10) return at;
  return -1;
}

/** What a connection's first bytes look like: a command, or a reply that only Redis sends. */
export function redisLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const type = bytes[start] as number;
  if (type === SIMPLE || type === ERROR) {
    const text = latin1(bytes, start, Math.min(end, start + 8));
    // POP3 also sends +OK and -ERR.
    if (/^\+PONG\r\n|^-(?:NOAUTH|WRONG|DENIED|LOADING|MOVED) ?/.test(text)) return 'server';
    if (/^-ERR max/.test(text) || sentUnasked(bytes, start, end)) return 'server';
    return end - start < 7 &&
      ['+PONG\r\n', '-NOAUTH', '-WRONG', '-DENIED', '-LOADING', '-MOVED '].some((word) => word.startsWith(text))
      ? 'more'
      : 'no';
  }
  // The only inline command that no other protocol has.
  if (type === 0x50)
    return PING.startsWith(latin1(bytes, start, Math.min(end, start + 6)))
      ? end - start < 6
        ? 'more'
        : 'client'
      : 'no';
  if (type !== ARRAY) return 'no';
  const counted = lineEnd(bytes, start, end);
  if (counted < 0) return end - start < 12 ? 'more' : 'no';
  const items = countAt(bytes, start + 1, counted);
  if (!(items >= 1 && items <= 1_048_576)) return 'no';
  const bulk = counted + 2;
  if (bulk < end && bytes[bulk] !== 0x24) return 'no';
  const measured = lineEnd(bytes, bulk, end);
  if (measured < 0) return end - bulk < 8 ? 'more' : 'no';
  const length = countAt(bytes, bulk + 1, measured);
  if (!(length >= 2 && length <= 32)) return 'no';
  const nameAt = measured + 2;
  if (end - nameAt < length) return 'more';
  const name = latin1(bytes, nameAt, nameAt + length).toUpperCase();
  // A replication stream: what only a master sends to its replica.
  if (name === 'REPLCONF' && /^\r\n\$6\r\nGETACK/i.test(latin1(bytes, nameAt + length, nameAt + length + 12)))
    return 'server';
  return COMMANDS.has(name) || /^[A-Z]{2,10}\.[A-Z_]+$/.test(name) ? 'client' : 'no';
}

/** Longest line that is looked at. */
const LOOK_MAXIMUM = 512;

const LF = 10;

/** Where, at the beginning or behind a line's end, a command begins; -1 where none does. */
export function commandAt(bytes: Uint8Array, start: number, end: number): number {
  if (redisLikeness(bytes, start, end) === 'client') return start;
  for (let at = bytes.indexOf(LF, start); at >= 0 && at + 1 < end; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === ARRAY && redisLikeness(bytes, at + 1, end) === 'client') return at + 1;
  }
  return -1;
}

/**
 * What a server sends without being asked, by its first bytes: a published message, a push, a line of MONITOR; or what a
 * replica sends that was taken for the server.
 */
export function sentUnasked(bytes: Uint8Array, start: number, end: number): boolean {
  const text = latin1(bytes, start, Math.min(end, start + 40));
  return /^(?:\*[34]\r\n\$\d+\r\n[ps]?message\r\n|\*\d\r\n\$8\r\nREPLCONF\r\n\$3\r\nACK\r\n|>\d+\r\n\$\d+\r\n[a-z]{4,16}\r\n|\+\d{10}\.\d{6} \[)/.test(
    text,
  );
}

/** Whether a simple string is a line of MONITOR: `1339518083.107412 [0 127.0.0.1:60866] "keys" "*"`. */
export function isMonitorLine(text: string): boolean {
  return /^\d{10}\.\d{6} \[\d+ [^\]]{1,128}\] "/.test(text);
}

/** Whether these bytes are exactly one reply that holds no other. */
export function isSingleReply(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && at < start + LOOK_MAXIMUM && bytes[at] !== LF) at += 1;
  if (bytes[at] !== LF || bytes[at - 1] !== 13) return false;
  const type = String.fromCharCode(bytes[start] as number);
  const line = latin1(bytes, start + 1, at - 1);
  if (type === '$') {
    const length = countAt(bytes, start + 1, at - 1);
    return length === -1 ? at + 1 === end : length >= 0 && at + 1 + length + 2 === end;
  }
  if (at + 1 !== end) return false;
  if (type === '+') return /^[\x20-\x7e]*$/.test(line);
  if (type === '-') return /^[A-Z]{2,20} [\x20-\x7e]*$/.test(line);
  return type === ':' ? /^-?\d{1,20}$/.test(line) : type === '_' && line === '';
}
