import { u8 } from '../bytes.ts';
import { SIDE, type Side } from '../record/event.ts';
import { maskText } from '../record/secrets.ts';
import { latin1 } from '../record/text.ts';
import { oneLine } from './one-line.ts';
import type { Likeness, StreamAnalyzer, StreamContext, StreamProtocol } from './protocol.ts';
import { REQUEST_NOT_SEEN } from './unfinished.ts';

/** Codes with which a server refuses (RFC 5321, sections 3.1 and 3.8): at the beginning instead of its 220, or later. */
const REFUSALS = ['421', '554'] as const;
const CODE_LENGTH = 3;
/** A reply's longest line, its CRLF included (RFC 5321, section 4.5.3.1.5). */
const LINE_MAXIMUM = 512;
const SPACE = 0x20;
const DASH = 0x2d;
const CR = 13;
const LF = 10;

/** Whether a reply that refuses begins here, its first line whole. */
function likeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const code = latin1(bytes, start, Math.min(end, start + CODE_LENGTH));
  if (!REFUSALS.some((refusal) => refusal.startsWith(code))) return 'no';
  if (end - start <= CODE_LENGTH) return 'more';
  const separator = u8(bytes, start + CODE_LENGTH);
  if (separator !== SPACE && separator !== DASH) return 'no';
  const limit = Math.min(end, start + LINE_MAXIMUM);
  let at = start + CODE_LENGTH + 1;
  // UTF-8 is allowed (RFC 6531), controls are not.
  while (at < limit && u8(bytes, at) >= SPACE && u8(bytes, at) !== 0x7f) at += 1;
  if (at === limit) return limit === end && end - start < LINE_MAXIMUM ? 'more' : 'no';
  if (u8(bytes, at) !== CR || at === start + CODE_LENGTH + 1) return 'no';
  if (at + 1 === end) return 'more';
  return u8(bytes, at + 1) === LF ? 'server' : 'no';
}

/** The reply with which a server refuses a connection, or gives one up. The rest of SMTP is not decoded. */
class SmtpRefusal implements StreamAnalyzer {
  readonly #context: StreamContext;
  #line = '';
  #time: number | undefined;
  #over = false;

  constructor(context: StreamContext) {
    this.#context = context;
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    if (side !== SIDE.server || this.#over) return;
    this.#time ??= this.#context.now;
    const room = LINE_MAXIMUM - this.#line.length;
    this.#line += latin1(bytes, start, Math.min(end, start + room));
    const length = this.#line.indexOf('\n');
    if (length < 0 && this.#line.length < LINE_MAXIMUM) return;
    this.#over = true;
    this.#emit(this.#line.slice(0, length < 0 ? LINE_MAXIMUM : length + 1));
    // What follows a reply within a session is not SMTP's to hide; a server that refuses a connection closes it.
    if (this.#context.midstream) this.#context.become(undefined);
  }

  gap(): void {}

  end(): void {}

  #emit(line: string): void {
    const { showSecrets, midstream, now } = this.#context;
    const time = this.#time ?? now;
    const reply = oneLine(Buffer.from(line.trimEnd(), 'latin1').toString());
    const status = showSecrets ? reply : maskText(reply);
    // At the beginning the connection is the request: no command is answered.
    const label = midstream ? REQUEST_NOT_SEEN : 'connect';
    this.#context.emit({
      kind: 'exchange',
      protocol: 'smtp',
      label,
      time,
      requestEnd: time,
      responseTime: undefined,
      responseEnd: undefined,
      requestBytes: 0,
      responseBytes: line.length,
      status,
      failed: true,
      route: label,
      incomplete: midstream ? 'request not seen' : undefined,
      fields: { smtp: { code: Number(status.slice(0, CODE_LENGTH)), text: status.slice(CODE_LENGTH + 1) } },
    });
  }
}

/** SMTP (RFC 5321), as far as a server refuses: too many connections, a client that may not. */
export const smtp: StreamProtocol = {
  name: 'smtp',
  title: 'SMTP',
  ports: [25, 587, 2525],
  // FTP has 421 too.
  notOn: [21],
  fields: {
    'smtp.code': { type: 'int', about: 'code of the reply with which the server refuses: 421 or 554' },
    'smtp.text': { type: 'string', about: 'its text, first line' },
  },
  probe: likeness,
  create: (context) => new SmtpRefusal(context),
};
