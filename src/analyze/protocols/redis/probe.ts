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

/** What a connection's first octets look like: a command, or a reply that is nobody else's. */
export function redisLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const type = bytes[start] as number;
  if (type === SIMPLE || type === ERROR) {
    const text = latin1(bytes, start, Math.min(end, start + 8));
    // POP3 says +OK and -ERR as well.
    if (/^\+PONG\r\n|^-(?:NOAUTH|WRONG|DENIED|LOADING|MOVED) ?/.test(text)) return 'server';
    return end - start < 7 &&
      ['+PONG\r\n', '-NOAUTH', '-WRONG', '-DENIED', '-LOADING', '-MOVED '].some((word) => word.startsWith(text))
      ? 'more'
      : 'no';
  }
  // The one inline command that is no other protocol's.
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
  return COMMANDS.has(name) || /^[A-Z]{2,10}\.[A-Z_]+$/.test(name) ? 'client' : 'no';
}
