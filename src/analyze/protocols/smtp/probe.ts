import { u8 } from '../../bytes.ts';
import { latin1 } from '../../record/text.ts';
import type { Likeness } from '../protocol.ts';
import { LINE_MAXIMUM } from './lines.ts';

const CODE_LENGTH = 3;
const SPACE = 0x20;
const DASH = 0x2d;
const CR = 13;
const LF = 10;

/** Codes with which a server refuses (RFC 5321, sections 3.1 and 3.8): at the beginning instead of its 220, or later. */
const REFUSALS = ['421', '554'] as const;
const GREETING = '220';
/** A greeting that names the protocol, which most do; FTP greets with 220 too. */
const NAMES_SMTP = /\bE?SMTPS?\b/i;
/** Commands that no other protocol has so. */
const BEGINNINGS = ['EHLO ', 'HELO ', 'MAIL FROM:', 'RCPT TO:'] as const;
const COMMAND =
  /^(?:(?:EHLO|HELO) [\x21-\x7e\x80-\xff]{1,255} ?|(?:MAIL FROM|RCPT TO): ?<[^<>\x00-\x1f\x7f]{0,320}>[^\x00-\x1f\x7f]*)$/i;

/** Whether the first line is a client's command, or a server's refusal or greeting. */
export function smtpLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const first = u8(bytes, start);
  return first >= 0x30 && first <= 0x39 ? replyLikeness(bytes, start, end) : commandLikeness(bytes, start, end);
}

function commandLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const head = latin1(bytes, start, Math.min(end, start + 10)).toUpperCase();
  if (!BEGINNINGS.some((words) => words.startsWith(head) || head.startsWith(words))) return 'no';
  const limit = Math.min(end, start + LINE_MAXIMUM);
  let stop = 0;
  while (start + stop < limit && u8(bytes, start + stop) >= SPACE) stop += 1;
  if (start + stop === limit) return limit === end && end - start < LINE_MAXIMUM ? 'more' : 'no';
  if (u8(bytes, start + stop) !== CR) return 'no';
  if (!COMMAND.test(latin1(bytes, start, start + stop))) return 'no';
  if (start + stop + 1 === end) return 'more';
  return u8(bytes, start + stop + 1) === LF ? 'client' : 'no';
}

/** Whether a reply that refuses, or a greeting that names SMTP, begins here, its first line whole. */
function replyLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const code = latin1(bytes, start, Math.min(end, start + CODE_LENGTH));
  const isGreeting = GREETING.startsWith(code);
  if (!isGreeting && !REFUSALS.some((refusal) => refusal.startsWith(code))) return 'no';
  if (end - start <= CODE_LENGTH) return 'more';
  const separator = u8(bytes, start + CODE_LENGTH);
  if (separator !== SPACE && separator !== DASH) return 'no';
  const limit = Math.min(end, start + LINE_MAXIMUM);
  let at = start + CODE_LENGTH + 1;
  // UTF-8 is allowed (RFC 6531), controls are not.
  while (at < limit && u8(bytes, at) >= SPACE && u8(bytes, at) !== 0x7f) at += 1;
  if (at === limit) return limit === end && end - start < LINE_MAXIMUM ? 'more' : 'no';
  if (u8(bytes, at) !== CR || at === start + CODE_LENGTH + 1) return 'no';
  if (isGreeting && !NAMES_SMTP.test(latin1(bytes, start, at))) return 'no';
  if (at + 1 === end) return 'more';
  return u8(bytes, at + 1) === LF ? 'server' : 'no';
}
