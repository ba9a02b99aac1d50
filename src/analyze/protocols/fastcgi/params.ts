import { i32, u8 } from '../../bytes.ts';
import { latin1, utf8 } from '../../record/text.ts';

/** What is read of a request's parameters. */
export interface Params {
  readonly method: string;
  /** REQUEST_URI, or the script with its query. */
  readonly target: string;
  readonly host: string;
  readonly script: string;
}

const WANTED: ReadonlySet<string> = new Set([
  'REQUEST_METHOD',
  'REQUEST_URI',
  'SCRIPT_NAME',
  'QUERY_STRING',
  'HTTP_HOST',
  'SCRIPT_FILENAME',
]);
const NAME_MAXIMUM = 15;

/** Names and values of a stream of parameters (section 3.4), as far as it is there. Others are passed over: they may be secrets. */
export function readParams(bytes: Uint8Array, start: number, end: number): Params {
  const found: Record<string, string> = {};
  let at = start;
  while (at < end) {
    const name = lengthAt(bytes, at, end);
    if (name < 0) break;
    at += name < 128 && u8(bytes, at) < 128 ? 1 : 4;
    const value = lengthAt(bytes, at, end);
    if (value < 0) break;
    at += u8(bytes, at) < 128 ? 1 : 4;
    if (at + name + value > end) break;
    if (name <= NAME_MAXIMUM) {
      const key = latin1(bytes, at, at + name);
      if (WANTED.has(key)) found[key] ??= utf8(bytes, at + name, at + name + value);
    }
    at += name + value;
  }
  const { REQUEST_METHOD: method = '', REQUEST_URI, SCRIPT_NAME = '', QUERY_STRING = '', HTTP_HOST: host = '' } = found;
  const target = REQUEST_URI ?? (QUERY_STRING === '' ? SCRIPT_NAME : `${SCRIPT_NAME}?${QUERY_STRING}`);
  return { method, target, host, script: found.SCRIPT_FILENAME ?? '' };
}

/** @returns -1 where it is not there */
function lengthAt(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return -1;
  const first = u8(bytes, at);
  if (first < 128) return first;
  return at + 4 <= end ? i32(bytes, at) & 0x7fffffff : -1;
}
