import { u8 } from '../../bytes.ts';
import { latin1 } from '../../record/text.ts';
import type { Likeness } from '../protocol.ts';
import { namedOnTcp, namedOnUdp } from './silent.ts';

const LINE_MAXIMUM = 512;
/** RFC 3261 and extensions that add methods. */
const METHODS = [
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'REGISTER',
  'OPTIONS',
  'PRACK',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
  'INFO',
  'REFER',
  'MESSAGE',
  'UPDATE',
];
const BEGINNINGS = ['SIP/2.0 ', ...METHODS.map((method) => `${method} `)];
const REQUEST = /^[A-Z]{3,9} (?:sips?|tel):[^\s]{1,400} SIP\/2\.0$/;
const STATUS = /^SIP\/2\.0 [1-6]\d\d [^\x00-\x1f]*$/;

/** By the start line (RFC 3261, section 7), which no other protocol has. */
function likeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const first = u8(bytes, start);
  if (first < 0x41 || first > 0x55) return 'no';
  const head = latin1(bytes, start, Math.min(end, start + 10));
  if (!BEGINNINGS.some((words) => words.startsWith(head) || head.startsWith(words))) return 'no';
  const limit = Math.min(end, start + LINE_MAXIMUM);
  let at = start;
  while (at < limit && u8(bytes, at) >= 0x20) at += 1;
  if (at === limit) return limit === end && end - start < LINE_MAXIMUM ? 'more' : 'no';
  const line = latin1(bytes, start, at);
  if (STATUS.test(line)) return 'server';
  return REQUEST.test(line) ? 'client' : 'no';
}

const ABOUT = { name: 'sip', title: 'SIP', ports: [5060], probe: likeness } as const;

/** SIP (RFC 3261) on UDP. */
export const sip = namedOnUdp(ABOUT);

/** The same on TCP. */
export const sipTcp = namedOnTcp(ABOUT);
