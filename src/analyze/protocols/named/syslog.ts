import { u8 } from '../../bytes.ts';
import { latin1 } from '../../record/text.ts';
import type { Likeness } from '../protocol.ts';
import { namedOnTcp, namedOnUdp } from './silent.ts';

/** `<`, which begins a priority. */
const OPEN = 0x3c;
/** Bytes in which the head of a message lies: its length in octet counting, priority, version, and a time. */
const HEAD = 64;
/** Facility × 8 + severity, at most (RFC 5424, section 6.2.1). */
const PRIORITY_MAXIMUM = 191;
const PRIORITY = /^<(\d{1,3})>/;
/** RFC 5424: version, and a time or none. RFC 3164: a date without a year. */
const NEW = /^1 (?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d|- )/;
const OLD = /^(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d /;
/** Octet counting (RFC 6587, section 3.4.1). */
const COUNT = /^[1-9]\d{0,4} (?=<)/;

/** A message's first bytes, from its priority on. */
const BEGINNING = /^(?:[1-9]\d{0,4} )?<\d{1,3}(?:>[\x20-\x7e]*)?$/;

function isMessage(text: string, hinted: boolean): boolean {
  const [head = '', digits] = PRIORITY.exec(text) ?? [];
  if (digits === undefined || Number(digits) > PRIORITY_MAXIMUM) return false;
  const rest = text.slice(head.length);
  // On its port any text may follow: many devices send no time.
  return NEW.test(rest) || OLD.test(rest) || (hinted && /^[\x20-\x7e]{4}/.test(rest));
}

function likeness(bytes: Uint8Array, start: number, end: number, hinted: boolean): Likeness {
  if (u8(bytes, start) !== OPEN) return 'no';
  return isMessage(latin1(bytes, start, Math.min(end, start + HEAD)), hinted) ? 'client' : 'no';
}

function likenessTcp(bytes: Uint8Array, start: number, end: number): Likeness {
  const first = u8(bytes, start);
  if (first !== OPEN && (first < 0x31 || first > 0x39)) return 'no';
  const text = latin1(bytes, start, Math.min(end, start + HEAD));
  const message = text.replace(COUNT, '');
  if (isMessage(message, false)) return 'client';
  return text.length < HEAD / 2 && BEGINNING.test(text) ? 'more' : 'no';
}

/** Syslog (RFC 5424, RFC 3164) on UDP. */
export const syslog = namedOnUdp({ name: 'syslog', title: 'syslog', ports: [514], probe: likeness });

/** The same on TCP (RFC 6587). */
export const syslogTcp = namedOnTcp({ name: 'syslog', title: 'syslog', ports: [514, 601], probe: likenessTcp });
