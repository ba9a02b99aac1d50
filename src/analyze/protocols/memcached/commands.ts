import { latin1 } from '../../record/text.ts';
import type { Likeness } from '../protocol.ts';

/** Commands with data behind their line, and which of its words says how many octets (memcached, doc/protocol.txt). */
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

/** Answers of several lines, up to the one that ends them. */
export const ENDED_BY_END = new Set(['get', 'gets', 'gat', 'gats', 'stats']);

/** What an answer that is one line begins with. */
export const ANSWERS = new Set(
  (
    'STORED NOT_STORED EXISTS NOT_FOUND DELETED TOUCHED OK END ERROR CLIENT_ERROR SERVER_ERROR VERSION RESET BUSY BADCLASS ' +
    'NOSPARE NOTFULL UNSAFE SAME HD EN NF NS EX MN ME'
  ).split(' '),
);

export function isCommand(word: string): boolean {
  return OTHERS.has(word) || Object.hasOwn(STORES, word);
}

/** A whole line of a client's; a few of a server's that nobody else says. */
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
