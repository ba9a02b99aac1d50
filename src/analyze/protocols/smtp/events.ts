import { type Exchange, type Incomplete, type Notice, SIDE, type Side } from '../../record/event.ts';
import { maskText } from '../../record/secrets.ts';
import { oneLine } from '../one-line.ts';
import { isFailure, REQUEST_NOT_SEEN, REQUEST_UNKNOWN } from '../unfinished.ts';

/** A command, a message or an answer within AUTH, that waits for its reply. */
export interface SmtpRequest {
  readonly verb: string;
  readonly label: string;
  readonly argument: string | undefined;
  readonly time: number;
  readonly end: number;
  readonly timed: boolean;
  readonly bytes: number;
  /** Bytes of it were not captured. */
  readonly gap: boolean;
  readonly acknowledged: number;
}

/** A reply, as far as it came. */
export interface SmtpReply {
  readonly code: number;
  /** Its first line without the code. */
  readonly text: string;
  readonly start: number;
  readonly acknowledged: number;
  readonly firstTime: number;
  /** Undefined where its end was not seen. */
  readonly lastTime: number | undefined;
  readonly timed: boolean;
  readonly bytes: number;
  readonly gap: boolean;
}

/** What came of a request. */
export interface SmtpOutcome {
  readonly reply?: SmtpReply | undefined;
  readonly incomplete?: Incomplete | undefined;
  readonly endedBy?: Side | undefined;
}

export const NAMES = { protocol: 'smtp', title: 'SMTP', request: 'command', answer: 'reply', shortest: 6 };

/** What a connection that is refused at once is called. */
const CONNECT = 'connect';

/** A request with its reply, or with the reason why there is none. */
export function exchangeOf(
  request: SmtpRequest,
  { reply, incomplete, endedBy }: SmtpOutcome,
  showSecrets: boolean,
): Exchange {
  const timed = request.timed && reply?.timed === true;
  return {
    kind: 'exchange',
    protocol: 'smtp',
    label: request.label,
    time: request.time,
    requestEnd: request.end,
    responseTime: timed ? reply.firstTime : undefined,
    responseEnd: timed ? reply.lastTime : undefined,
    requestBytes: request.bytes,
    responseBytes: reply?.bytes ?? 0,
    endedBy,
    ...statusOf(reply, showSecrets, { command: request.verb, argument: request.argument }),
    failed: isRefusal(reply) || isFailure(incomplete),
    route: request.verb,
    incomplete:
      incomplete ?? (request.gap ? 'request not captured' : reply?.gap === true ? 'response not captured' : undefined),
  };
}

/** A reply to what was not captured, to what the packets do not prove, or to the connection itself. */
export function replyAlone(
  reply: SmtpReply,
  incomplete: 'request not seen' | 'unknown' | undefined,
  showSecrets: boolean,
): Exchange {
  const label = incomplete === undefined ? CONNECT : incomplete === 'unknown' ? REQUEST_UNKNOWN : REQUEST_NOT_SEEN;
  return {
    kind: 'exchange',
    protocol: 'smtp',
    label,
    time: reply.firstTime,
    requestEnd: reply.firstTime,
    responseTime: undefined,
    responseEnd: undefined,
    requestBytes: 0,
    responseBytes: reply.bytes,
    ...statusOf(reply, showSecrets, {}),
    failed: isRefusal(reply),
    route: label,
    incomplete,
  };
}

/** A reply that nothing asked for: a server that gives a connection up, mostly. */
export function unasked(reply: SmtpReply, showSecrets: boolean): Notice {
  const { status, fields } = statusOf(reply, showSecrets, {});
  return {
    kind: 'event',
    protocol: 'smtp',
    code: 'SMTP_UNASKED_REPLY',
    label: `${status}, which no command asked for`,
    time: reply.firstTime,
    from: SIDE.server,
    failed: isRefusal(reply),
    fields,
  };
}

/** 4xx and 5xx (RFC 5321, section 4.2.1). */
function isRefusal(reply: SmtpReply | undefined): boolean {
  return reply !== undefined && reply.code >= 400;
}

function statusOf(
  reply: SmtpReply | undefined,
  showSecrets: boolean,
  names: { readonly command?: string; readonly argument?: string | undefined },
): Pick<Exchange, 'status' | 'fields'> {
  if (reply === undefined) return { status: '', fields: { smtp: { ...names } } };
  const plain = oneLine(Buffer.from(reply.text, 'latin1').toString()).trim();
  const text = showSecrets ? plain : maskText(plain);
  // What follows a 334 is a challenge: of some mechanisms it holds what a password is tried with.
  const shown = reply.code === 334 ? '' : text;
  return {
    status: shown === '' ? String(reply.code) : `${reply.code} ${shown}`,
    fields: { smtp: { ...names, code: reply.code, text: shown || undefined } },
  };
}
