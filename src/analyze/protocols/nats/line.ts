import { u8 } from '../../bytes.ts';
import { SIDE, type Side } from '../../record/event.ts';
import { latin1, utf8 } from '../../record/text.ts';
import type { Likeness } from '../protocol.ts';

/** Bytes of the shortest line, `+OK` with its CRLF, and of the longest: INFO lists the addresses of all servers. */
export const LINE_MINIMUM = 5;
export const LINE_MAXIMUM = 32 * 1024;

/** Bytes of a line that are looked at to find where messages go on. */
export const LINE_SEEK = 1024;

/** Largest message that is believed: servers take 1 MiB by default and 64 MiB at most. */
const PAYLOAD_MAXIMUM = 64 * 1024 * 1024;

const CR = 13;
const LF = 10;
const SPACE = 0x20;
const TAB = 9;

/** Operations whose last word is the length of what follows their line. */
const CARRIES = new Set(['PUB', 'HPUB', 'MSG', 'HMSG']);

/** Operations between servers: routes, gateways and leaf nodes. */
const CLUSTER = ['RS+', 'RS-', 'RMSG', 'LS+', 'LS-', 'LMSG', 'A+', 'A-'];

/** Operations by side (docs.nats.io, "Client Protocol"). A client that sends INFO is another server. */
const OPERATIONS: readonly (readonly string[])[] = [
  ['PUB', 'HPUB', 'SUB', 'UNSUB', 'PING', 'PONG', 'CONNECT', 'INFO', ...CLUSTER],
  ['MSG', 'HMSG', 'PING', 'PONG', '+OK', '-ERR', 'INFO', ...CLUSTER],
];

/**
 * Whole lines of which no other protocol has the like; they say who sends them. MSN's `MSG 26 N 104` and `MSG user@host name 104` are
 * none: clients number their subscriptions.
 */
const SUBJECT = '[^\\s\\x00@]{1,512}';
const CLIENT_LINE = new RegExp(
  `^(?:PUB ${SUBJECT}(?: ${SUBJECT})? \\d{1,8}|HPUB ${SUBJECT}(?: ${SUBJECT})? \\d{1,8} \\d{1,8}|SUB ${SUBJECT}(?: ${SUBJECT})? \\w{1,64}|UNSUB \\w{1,64}(?: \\d{1,9})?)\\r$`,
);
const SERVER_LINE = new RegExp(
  `^(?:MSG ${SUBJECT} \\d{1,19}(?: ${SUBJECT})? \\d{1,8}|HMSG ${SUBJECT} \\d{1,19}(?: ${SUBJECT})? \\d{1,8} \\d{1,8}|-ERR '(?:Unknown Protocol|Attempted|Authori[sz]ation|Authentication|Account|User|Invalid|Maximum|Parser|Secure|Stale|Slow|Permissions|Client|Server|JWT|Duplicate)[^']{0,512}')\\r$`,
);
/** A line that both sides send. */
const EITHER_LINE = /^P[IO]NG\r$/;

/** The line of one message. */
export interface NatsLine {
  readonly operation: string;
  /** The words behind the operation; of CONNECT, INFO and -ERR one text. */
  readonly words: readonly string[];
  /** Bytes of the line, its CRLF included. */
  readonly bytes: number;
}

/** A message's whole length: its line, and what that announces; 0 for what cannot be one, undefined without the line's end. */
export function natsLength(side: Side, bytes: Uint8Array, start: number, end: number): number | undefined {
  const operation = operationAt(side, bytes, start, end);
  if (operation === undefined) return undefined;
  if (operation === '') return 0;
  const lf = lineEnd(bytes, start, end);
  if (lf < 0) return undefined;
  if (u8(bytes, lf - 1) !== CR) return 0;
  const line = lf + 1 - start;
  if (!CARRIES.has(operation)) return line;
  const payload = lastNumber(bytes, start, lf - 1);
  return payload > PAYLOAD_MAXIMUM ? 0 : line + payload + 2;
}

/** The line of a message that natsLength has measured; undefined where its end is not among what is kept. */
export function readLine(bytes: Uint8Array, start: number, end: number): NatsLine | undefined {
  const lf = lineEnd(bytes, start, end);
  if (lf < 0) return undefined;
  const text = utf8(bytes, start, lf - 1);
  const operation = /^\S*/.exec(text)?.[0] ?? '';
  const rest = text.slice(operation.length).trim();
  const isText = operation === 'CONNECT' || operation === 'INFO' || operation === '-ERR';
  const words = rest === '' ? [] : isText ? [rest] : rest.split(/[ \t]+/);
  return { operation, words, bytes: lf + 1 - start };
}

export function isCluster(operation: string): boolean {
  return CLUSTER.includes(operation);
}

/** Whether a message of a side begins here: its whole line is looked at. Undefined without the line's end. */
export function natsBegins(side: Side, bytes: Uint8Array, start: number, end: number): boolean | undefined {
  const operation = operationAt(side, bytes, start, end);
  if (operation === '') return false;
  const limit = Math.min(end, start + LINE_SEEK);
  const lf = operation === undefined ? -1 : lineEnd(bytes, start, limit);
  if (lf < 0) return end - start < LINE_SEEK ? undefined : false;
  const line = latin1(bytes, start, lf);
  return (side === SIDE.client ? CLIENT_LINE : SERVER_LINE).test(line) || EITHER_LINE.test(line);
}

/** What a connection's first bytes, or those of a message, look like. */
export function natsLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const first = u8(bytes, start);
  // C H I M P S U and the - of an error.
  if (first !== 0x2d && (first < 0x43 || first > 0x55)) return 'no';
  const text = latin1(bytes, start, Math.min(end, start + LINE_SEEK));
  if (text.startsWith('CONNECT ')) return /^CONNECT[ \t]+\{\s?"/.test(text) ? 'client' : unfinished(text, 'CONNECT {"');
  if (text.startsWith('INFO ')) {
    if (!/^INFO[ \t]+\{\s?"/.test(text)) return unfinished(text, 'INFO {"');
    if (/"(?:server_id|max_payload|proto)"\s?:/.test(text)) return 'server';
    return text.length < LINE_SEEK && !text.includes('\n') ? 'more' : 'no';
  }
  // PING and PONG may be those of another protocol, such as an inline command of Redis: what follows them decides.
  const from = text.length - text.replace(/^(?:P[IO]NG\r\n)+/, '').length;
  if (from === text.length) return from < LINE_SEEK ? 'more' : 'no';
  const lf = text.indexOf('\n', from);
  if (lf < 0) return text.length < LINE_SEEK && mayBegin(text.slice(from)) ? 'more' : 'no';
  const line = text.slice(from, lf);
  if (CLIENT_LINE.test(line)) return endsPayload(line, text, lf + 1) ? 'client' : 'no';
  return SERVER_LINE.test(line) && endsPayload(line, text, lf + 1) ? 'server' : 'no';
}

/** Whether what a line announces ends with CRLF, where that can be seen. */
function endsPayload(line: string, text: string, start: number): boolean {
  const length = /^H?(?:PUB|MSG) .* (\d{1,8})\r$/.exec(line)?.[1];
  if (length === undefined) return true;
  const end = text.slice(start + Number(length), start + Number(length) + 2);
  return '\r\n'.startsWith(end);
}

function unfinished(text: string, wanted: string): Likeness {
  return wanted.startsWith(text) ? 'more' : 'no';
}

function mayBegin(text: string): boolean {
  const word = /^\S*/.exec(text)?.[0] ?? '';
  return OPERATIONS.some((names) => names.some((name) => (word === text ? name.startsWith(word) : name === word)));
}

/** The operation that begins here; empty where none does, undefined where that takes more bytes. */
function operationAt(side: Side, bytes: Uint8Array, start: number, end: number): string | undefined {
  let isUndecided = false;
  for (const name of OPERATIONS[side] as readonly string[]) {
    let at = 0;
    while (at < name.length && start + at < end && u8(bytes, start + at) === name.charCodeAt(at)) at += 1;
    if (start + at === end) isUndecided = true;
    else if (at === name.length && isSpace(u8(bytes, start + at))) return name;
  }
  return isUndecided ? undefined : '';
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === CR;
}

/** Where the line's LF is; -1 where it is not there. */
function lineEnd(bytes: Uint8Array, start: number, end: number): number {
  const near = Math.min(end, start + 256);
  for (let at = start; at < near; at += 1) if (bytes[at] === LF) return at;
  if (near === end) return -1;
  const further = bytes.subarray(near, Math.min(end, start + LINE_MAXIMUM)).indexOf(LF);
  return further < 0 ? -1 : near + further;
}

/** The number that ends a line; infinite where none does. */
function lastNumber(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  let scale = 1;
  let at = end - 1;
  for (; at > start && scale <= 1e9; at -= 1) {
    const digit = u8(bytes, at) - 0x30;
    if (digit < 0 || digit > 9) break;
    value += digit * scale;
    scale *= 10;
  }
  return scale > 1 && scale <= 1e9 && isSpace(u8(bytes, at)) ? value : Number.POSITIVE_INFINITY;
}
