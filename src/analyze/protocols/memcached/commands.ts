import { latin1 } from '../../record/text.ts';
import type { Likeness } from '../protocol.ts';

/** Commands with data behind their line, and which of its words is the number of bytes (memcached, doc/protocol.txt). */
export const STORES: Readonly<Record<string, number>> = {
  set: 4,
  add: 4,
  replace: 4,
  append: 4,
  prepend: 4,
  cas: 4,
  ms: 2,
};

/** All the others. */
const OTHERS = new Set(
  (
    'get gets gat gats delete incr decr touch stats version verbosity flush_all quit slabs lru watch cache_memlimit shutdown ' +
    'mg md ma mn me'
  ).split(' '),
);

const RETRIEVAL = ['VALUE', 'END'];
const STORAGE = ['STORED', 'NOT_STORED', 'EXISTS', 'NOT_FOUND'];
const NUMBER = '0';

/** By command, the first words of its answers, errors apart; a number stands for any. Commands that are not listed: any. */
const ANSWERS_OF: Readonly<Record<string, readonly string[]>> = {
  get: RETRIEVAL,
  gets: RETRIEVAL,
  gat: RETRIEVAL,
  gats: RETRIEVAL,
  set: STORAGE,
  add: STORAGE,
  replace: STORAGE,
  append: STORAGE,
  prepend: STORAGE,
  cas: STORAGE,
  delete: ['DELETED', 'NOT_FOUND'],
  incr: [NUMBER, 'NOT_FOUND'],
  decr: [NUMBER, 'NOT_FOUND'],
  touch: ['TOUCHED', 'NOT_FOUND'],
  mg: ['VA', 'HD', 'EN'],
  ms: ['HD', 'NS', 'EX', 'NF'],
  md: ['HD', 'NF', 'EX'],
  ma: ['HD', 'VA', 'NF', 'NS', 'EX'],
  me: ['ME', 'EN'],
  mn: ['MN'],
  version: ['VERSION'],
};

/** The answer that a quiet meta command does not get (protocol.txt, "Meta Commands": the q flag). */
const SILENT: Readonly<Record<string, string>> = { mg: 'EN', ms: 'HD', md: 'HD', ma: 'HD' };

/** Words that begin an answer, or a line of one that has several. */
const ANSWERS = new Set([
  ...Object.values(ANSWERS_OF).flat(),
  ...'OK RESET BUSY BADCLASS NOSPARE NOTFULL UNSAFE SAME STAT ITEM PREFIX ERROR CLIENT_ERROR SERVER_ERROR'.split(' '),
]);

export function isError(word: string): boolean {
  return word === 'ERROR' || word === 'CLIENT_ERROR' || word === 'SERVER_ERROR';
}

/** Whether a line of a server can begin with a word. */
export function isAnswer(word: string): boolean {
  return ANSWERS.has(word) || /^\d{1,20}$/.test(word);
}

/** Whether a command can have an answer that begins with a word. */
export function canAnswer(command: string, quiet: boolean, word: string): boolean {
  if (isError(word)) return true;
  if (quiet && Object.hasOwn(SILENT, command) && SILENT[command] === word) return false;
  if (!Object.hasOwn(ANSWERS_OF, command)) return true;
  return (ANSWERS_OF[command] as readonly string[]).includes(/^\d/.test(word) ? NUMBER : word);
}

export function isCommand(word: string): boolean {
  return OTHERS.has(word) || Object.hasOwn(STORES, word);
}

/** A whole line of a client's; a few of a server's that no other protocol has. */
export function memcachedLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const limit = Math.min(end, start + 300);
  let at = start;
  while (at < limit && (bytes[at] as number) >= 0x20 && (bytes[at] as number) < 0x7f) at += 1;
  const text = latin1(bytes, start, at);
  const words = text.split(' ');
  const [first = ''] = words;
  if (at === limit) {
    const known =
      words.length > 1 ? isCommand(first) : [...OTHERS, ...Object.keys(STORES)].some((name) => name.startsWith(first));
    return at === end && known && text !== '' ? 'more' : 'no';
  }
  if (bytes[at] !== 13 || (at + 1 < end && bytes[at + 1] !== 10)) return 'no';
  if (/^(?:VALUE \S{1,250} \d+ \d+(?: \d+)?|STORED|NOT_STORED|SERVER_ERROR .*)$/.test(text)) return 'server';
  // QUIT, DELETE and the like are other protocols' as well, but in capital letters, or without so many words.
  if (/^(?:gets?|gats? \d+|mg|md|ma) [^ ]{1,250}(?: .*)?$/.test(text)) return 'client';
  if (/^(?:set|add|replace|append|prepend|cas) [^ ]{1,250} \d+ -?\d+ \d+(?: \d+)?(?: noreply)?$/.test(text))
    return 'client';
  if (
    /^ms [^ ]{1,250} \d+(?: .*)?$|^(?:incr|decr|touch) [^ ]{1,250} \d+(?: noreply)?$|^delete [^ ]{1,250}(?: 0| noreply)?$/.test(
      text,
    )
  )
    return 'client';
  return /^(?:stats(?: [a-z]+)?|version|flush_all(?: \d+)?|mn)$/.test(text) ? 'client' : 'no';
}

const LF = 10;

/** Where, at the beginning or behind a line's end, a command begins; -1 where none does. */
export function commandAt(bytes: Uint8Array, start: number, end: number): number {
  if (memcachedLikeness(bytes, start, end) === 'client') return start;
  for (let at = bytes.indexOf(LF, start); at >= 0 && at + 1 < end; at = bytes.indexOf(LF, at + 1)) {
    if (memcachedLikeness(bytes, at + 1, end) === 'client') return at + 1;
  }
  return -1;
}

/** Whether these bytes begin with a line that a server sends. */
export function answerBegins(bytes: Uint8Array, start: number, end: number): boolean {
  const words = latin1(bytes, start, Math.min(end, start + 40)).split(/[ \r\n]/, 1);
  return isAnswer(words[0] ?? '');
}

/** Whether these bytes are exactly one answer of one line. */
export function isSingleAnswer(bytes: Uint8Array, start: number, end: number): boolean {
  const line = latin1(bytes, start, Math.min(end, start + 300));
  return (
    line.length === end - start && /^[A-Z_]{2,12}(?: [\x20-\x7e]*)?\r\n$/.test(line) && answerBegins(bytes, start, end)
  );
}
