import { type Exchange, SIDE, type Side } from '../../record/event.ts';
import { maskText } from '../../record/secrets.ts';
import { FramedConnection, type FramedMessage, type SideFraming } from '../framed-connection.ts';
import { type Ending, failedWithout, measured } from '../framed-exchange.ts';
import { NumberedRequests } from '../numbered-requests.ts';
import { oneLine } from '../one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { tls } from '../tls/index.ts';
import { REQUEST_NOT_SEEN, unfinished } from '../unfinished.ts';
import { Element } from './ber.ts';
import {
  HEADER,
  HEADER_MAXIMUM,
  isSealed,
  ldapBegins,
  ldapLength,
  OPERATION,
  RESULTS,
  readMessage,
  SEEK,
} from './message.ts';
import { type Asked, askedRoute, askedText, readRequest } from './request.ts';
import { isFailedResult, resultName } from './results.ts';

/** Bytes kept of a message: names come first. */
const KEEP = 4096;

/** Not a request's number: what the server sends unasked has it. */
const UNSOLICITED = 0;

const START_TLS = 'StartTLS';

/** A request, and what of its answer has come. */
interface Request {
  readonly id: number;
  readonly asked: Asked;
  readonly message: FramedMessage;
  /** Of a search: its entries so far. */
  readonly found: { first: FramedMessage | undefined; bytes: number; entries: number; whole: boolean; timed: boolean };
}

/** How it went. */
interface Outcome {
  readonly code: number;
  readonly text: string;
}

const part = new Element();

/** LDAP of one connection: requests and their results by number; a search's entries belong to its answer. */
export class LdapConnection implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #connection: FramedConnection;
  readonly #pending: NumberedRequests<Request>;
  /** A bind has negotiated what may protect all that follows. */
  #mayBeSealed = false;
  #sealedNamed = false;
  #next: StreamAnalyzer | undefined;
  #ending: Ending = {};

  constructor(context: StreamContext) {
    this.#context = context;
    this.#connection = new FramedConnection(context, {
      protocol: 'ldap',
      title: 'LDAP',
      sides: [this.#framing(SIDE.client), this.#framing(SIDE.server)],
    });
    this.#pending = new NumberedRequests<Request>(this.#connection, {
      context,
      kept: KEEP,
      ordered: false,
      unanswered: (request, incomplete, endedBy) => {
        const { first } = request.found;
        const why = first !== undefined && incomplete === 'no response' ? 'closed early' : incomplete;
        const answer =
          first === undefined ? undefined : this.#answerOf(request, { ...first, end: undefined, whole: false });
        this.#emit(request, answer, undefined, { incomplete: why, endedBy });
      },
    });
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    if (this.#next !== undefined) this.#next.data(side, bytes, start, end);
    else this.#connection.data(side, bytes, start, end);
  }

  gap(side: Side, length: number): void {
    if (this.#next !== undefined) this.#next.gap(side, length);
    else this.#connection.gap(side, length);
  }

  end(how: StreamEnd, by?: Side): void {
    if (this.#next !== undefined) {
      this.#next.end(how, by);
      return;
    }
    this.#ending = { incomplete: unfinished(how, true), endedBy: by };
    this.#connection.end();
    this.#pending.end(how, by);
  }

  #framing(side: Side): SideFraming {
    return {
      header: HEADER,
      headerMaximum: HEADER_MAXIMUM,
      keep: KEEP,
      seeking: {
        bytes: SEEK,
        least: HEADER,
        begins: (bytes, start, end) => ldapBegins(side, bytes, start, end),
      },
      lengthOf: (bytes, start, end) => ldapLength(bytes, start, end, this.#mayBeSealed),
      onMessage: (bytes, start, end, message) => {
        if (isSealed(bytes, start)) this.#onSealed(message);
        else if (side === SIDE.client) this.#onRequest(bytes, start, end, message);
        else this.#onAnswer(bytes, start, end, message);
      },
    };
  }

  #onRequest(bytes: Uint8Array, start: number, end: number, message: FramedMessage): void {
    const read = readMessage(bytes, start, end);
    if (read === undefined) {
      this.#connection.miss(SIDE.client, message);
      return;
    }
    const { id, operation } = read;
    if (operation.tag === OPERATION.abandon) {
      const abandoned = this.#pending.withdraw(operation.number(bytes, end));
      if (abandoned !== undefined) this.#emit(abandoned, undefined, undefined, {}, 'abandoned');
      return;
    }
    const asked = readRequest(operation, bytes, end);
    if (asked === undefined) return;
    const found = { first: undefined, bytes: 0, entries: 0, whole: true, timed: true };
    this.#pending.wait(id, { id, asked, message, found });
  }

  #onAnswer(bytes: Uint8Array, start: number, end: number, message: FramedMessage): void {
    const read = readMessage(bytes, start, end);
    if (read === undefined) {
      // An entry of any search under way, of which the number was not captured.
      this.#connection.miss(SIDE.server, message);
      return;
    }
    const { id, operation } = read;
    const { tag } = operation;
    if (!RESULTS.has(tag)) {
      this.#onPart(id, tag, message);
      return;
    }
    const outcome = this.#outcomeOf(operation, bytes, end);
    if (id === UNSOLICITED) {
      this.#onUnsolicited(outcome, message);
      return;
    }
    const request = this.#pending.answered(id, message);
    if (request === undefined) {
      if (this.#context.midstream || this.#connection.missedSince(SIDE.client, -1)) this.#emitAlone(message, outcome);
      return;
    }
    const ending = message.end === undefined ? this.#ending : {};
    const answer = this.#answerOf(request, message);
    this.#emit(request, answer, outcome, this.#pending.isProven(request) ? ending : { incomplete: 'unknown' });
    const { operation: name, mechanism, name: about } = request.asked;
    if (name === 'extended' && about === START_TLS && outcome?.code === 0) this.#next = this.#context.become(tls);
    if (name === 'bind' && outcome?.code === 0 && mechanism !== 'simple' && mechanism !== 'anonymous')
      this.#mayBeSealed = true;
  }

  /** An entry or a reference of a search, or an answer between. */
  #onPart(id: number, tag: number, message: FramedMessage): void {
    const found = this.#pending.awaiting(id, message)?.found;
    if (found === undefined) return;
    found.first ??= message;
    found.bytes += message.bytes;
    found.whole &&= message.whole;
    found.timed &&= message.timed;
    if (tag === OPERATION.searchEntry) found.entries += 1;
  }

  /** The whole answer, of which this is the last message. */
  #answerOf({ message, found, asked }: Request, last: FramedMessage): FramedMessage {
    if (asked.operation !== 'search') return last;
    const { first, bytes, whole, timed } = found;
    // Entries may be in what was not captured, also the first.
    const missed = this.#connection.missedSince(SIDE.server, message.acknowledged);
    const isFirst = first === undefined || first.start === last.start;
    const total = isFirst ? (first === undefined ? last.bytes : bytes) : bytes + last.bytes;
    return {
      ...(first ?? last),
      end: last.end,
      timed: timed && last.timed && !missed,
      bytes: total,
      length: total,
      whole: whole && last.whole && !missed,
    };
  }

  #outcomeOf(operation: Element, bytes: Uint8Array, end: number): Outcome | undefined {
    const limit = Math.min(end, operation.end);
    if (part.read(bytes, operation.start, limit) !== true) return undefined;
    const code = part.number(bytes, limit);
    if (Number.isNaN(code)) return undefined;
    const text = part.next(bytes, limit) && part.next(bytes, limit) ? part.text(bytes, limit).replace(/\0+$/, '') : '';
    return { code, text: oneLine(this.#context.showSecrets ? text : maskText(text)) };
  }

  #onUnsolicited(outcome: Outcome | undefined, { time }: FramedMessage): void {
    const { code = 0, text = '' } = outcome ?? {};
    this.#context.emit({
      kind: 'event',
      protocol: 'ldap',
      code: 'LDAP_DISCONNECTION',
      label: `the server disconnects: ${resultName(code)} ${text}`.trimEnd(),
      time,
      from: SIDE.server,
      failed: true,
      fields: { ldap: { code, message: text || undefined } },
    });
  }

  #onSealed({ time }: FramedMessage): void {
    if (this.#sealedNamed) return;
    this.#sealedNamed = true;
    this.#context.emit({
      kind: 'event',
      protocol: 'ldap',
      code: 'LDAP_SEALED',
      label: 'a SASL security layer protects what follows: not decoded',
      time,
      from: undefined,
      failed: false,
      fields: {},
    });
  }

  #emit(
    request: Request,
    answer: FramedMessage | undefined,
    outcome: Outcome | undefined,
    ending: Ending,
    status = statusOf(outcome),
  ): void {
    const { asked, found } = request;
    const route = askedRoute(asked);
    const isSearch = asked.operation === 'search';
    this.#context.emit({
      kind: 'exchange',
      protocol: 'ldap',
      label: this.#context.detail || this.#context.labels === true ? askedText(asked) : route,
      ...measured(request.message, answer, ending),
      status,
      failed:
        (outcome !== undefined && isFailedResult(outcome.code, asked.operation)) ||
        (status !== 'abandoned' && failedWithout(answer, ending.incomplete)),
      route,
      fields: {
        ldap: {
          operation: asked.operation,
          name: asked.name || undefined,
          scope: asked.scope || undefined,
          mechanism: asked.mechanism || undefined,
          entries: isSearch && answer?.whole === true ? found.entries : undefined,
          code: outcome?.code,
          message: outcome?.text || undefined,
        },
      },
    } satisfies Exchange);
  }

  /** A result of a request that was not captured. */
  #emitAlone(message: FramedMessage, outcome: Outcome | undefined): void {
    this.#context.emit({
      kind: 'exchange',
      protocol: 'ldap',
      label: REQUEST_NOT_SEEN,
      ...measured(undefined, message, {}),
      status: statusOf(outcome),
      failed: outcome !== undefined && isFailedResult(outcome.code, ''),
      route: REQUEST_NOT_SEEN,
      fields: { ldap: { code: outcome?.code, message: outcome?.text || undefined } },
    });
  }
}

/** `success`, `invalidCredentials`, `unwillingToPerform no global superior knowledge`. */
function statusOf(outcome: Outcome | undefined): string {
  return outcome === undefined ? '' : `${resultName(outcome.code)} ${outcome.text}`.trimEnd();
}
