import { i32, u8, u16 } from '../../bytes.ts';
import { type Exchange, type Incomplete, SIDE, type Side } from '../../record/event.ts';
import { maskTarget, maskText } from '../../record/secrets.ts';
import { latin1 } from '../../record/text.ts';
import { FramedConnection, type FramedMessage } from '../framed-connection.ts';
import { type Ending, failedWithout, measured } from '../framed-exchange.ts';
import { routeOf } from '../http1/route.ts';
import { NumberedRequests } from '../numbered-requests.ts';
import { oneLine } from '../one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { REQUEST_NOT_SEEN, unfinished } from '../unfinished.ts';
import { type Params, readParams } from './params.ts';
import { Parts } from './parts.ts';
import { BEGIN_LENGTH, RECORD_HEADER, recordLength, requestBegins, requestEnds, TYPE } from './record.ts';

/** Bytes kept of a record: parameters and heads of answers. */
const RECORD_KEEP = 16_384;
/** Requests and answers that come at the same time; clients in use send one at a time. */
const UNDER_WAY_MAXIMUM = 64;
const ERROR_MAXIMUM = 256;
/** What FCGI_END_REQUEST says besides that the request was completed (section 5.5). */
const PROTOCOL_STATUS = ['', 'CANT_MPX_CONN', 'OVERLOADED', 'UNKNOWN_ROLE'];

const STATUS = /^status:[ \t]*(\d{3})/im;

interface Request {
  readonly id: number;
  /** Up to the end of its parameters: the program may answer then. */
  readonly message: FramedMessage;
  /** With what is sent behind them. */
  readonly parts: Parts;
  readonly params: Params;
}

/** An answer that is coming. */
interface Answer {
  readonly parts: Parts;
  /** First line of the program's error stream. */
  error: string;
  appStatus: number;
  protocolStatus: number;
}

/** FastCGI of one connection: requests and answers, paired by their ids, which are used again. */
export class FastcgiConnection implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #connection: FramedConnection;
  readonly #pending: NumberedRequests<Request>;
  /** By id: requests of which the parameters are coming, and of which what follows is. */
  readonly #building = new Map<number, Parts>();
  readonly #sending = new Map<number, Parts>();
  readonly #answers = new Map<number, Answer>();
  /** Answers that are reported already, though their rest is still coming. */
  readonly #cut = new Set<number>();
  /** How the connection ended, while what is under way is handed over. */
  #ending: Ending = {};

  constructor(context: StreamContext) {
    this.#context = context;
    this.#connection = new FramedConnection(context, {
      protocol: 'fastcgi',
      title: 'FastCGI',
      sides: [
        {
          header: RECORD_HEADER,
          keep: RECORD_KEEP,
          seeking: { bytes: BEGIN_LENGTH, begins: requestBegins },
          lengthOf: recordLength,
          onMessage: this.#onRequestRecord.bind(this),
          onMissed: () => this.#clientLost(),
        },
        {
          header: RECORD_HEADER,
          keep: RECORD_KEEP,
          seeking: {
            bytes: BEGIN_LENGTH,
            begins: (bytes, start, _end, offset) => this.#answerBegins(bytes, start, offset),
          },
          lengthOf: recordLength,
          onMessage: this.#onAnswerRecord.bind(this),
          onMissed: () => this.#serverLost(),
        },
      ],
    });
    this.#pending = new NumberedRequests<Request>(this.#connection, {
      context,
      kept: RECORD_KEEP,
      ordered: false,
      unanswered: (request, incomplete, endedBy) => this.#emit(request, undefined, { incomplete, endedBy }),
    });
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    this.#connection.data(side, bytes, start, end);
  }

  gap(side: Side, length: number): void {
    this.#connection.gap(side, length);
  }

  end(how: StreamEnd, by?: Side): void {
    this.#ending = { incomplete: unfinished(how, true), endedBy: by };
    this.#connection.end();
    for (const [id, answer] of this.#answers) {
      answer.parts.whole = false;
      const isMissed = this.#connection.missedSince(SIDE.server, answer.parts.start);
      this.#finish(id, answer, isMissed ? { incomplete: 'response not captured' } : this.#ending);
    }
    this.#answers.clear();
    this.#pending.end(how, by);
  }

  #answerBegins(bytes: Uint8Array, start: number, offset: number): boolean {
    if (requestEnds(bytes, start)) return true;
    const type = u8(bytes, start + 1);
    if (u8(bytes, start) !== 1 || (type !== TYPE.stdout && type !== TYPE.stderr)) return false;
    return (
      u8(bytes, start + 7) === 0 &&
      this.#connection.beginsPacket(SIDE.server, offset) &&
      this.#pending.has(u16(bytes, start + 2))
    );
  }

  #clientLost(): void {
    this.#building.clear();
    for (const parts of this.#sending.values()) parts.whole = false;
    this.#sending.clear();
    this.#cut.clear();
  }

  /** The rest of answers under way may be missing, or come. */
  #serverLost(): void {
    for (const [id, answer] of this.#answers) {
      this.#cut.add(id);
      answer.parts.whole = false;
      this.#finish(id, answer, { incomplete: 'response not captured' });
    }
    this.#answers.clear();
  }

  #onRequestRecord(bytes: Uint8Array, start: number, end: number, message: FramedMessage): void {
    if (end - start < RECORD_HEADER) return;
    const type = u8(bytes, start + 1);
    const id = u16(bytes, start + 2);
    const content = u16(bytes, start + 4);
    if (type === TYPE.begin) {
      this.#sending.delete(id);
      this.#cut.delete(id);
      if (this.#building.size < UNDER_WAY_MAXIMUM) this.#building.set(id, new Parts(message));
      return;
    }
    const sending = this.#sending.get(id);
    if (sending !== undefined) {
      sending.grow(message);
      if (content === 0 && type === TYPE.stdin) this.#sending.delete(id);
      return;
    }
    const parts = this.#building.get(id);
    if (parts === undefined) return;
    parts.grow(message);
    if (type !== TYPE.params) return;
    if (content > 0) {
      const stop = Math.min(end, start + RECORD_HEADER + content);
      parts.keep(bytes, start + RECORD_HEADER, stop, stop === start + RECORD_HEADER + content);
      return;
    }
    this.#building.delete(id);
    if (this.#sending.size < UNDER_WAY_MAXIMUM) this.#sending.set(id, parts);
    const params = readParams(parts.kept, 0, parts.kept.length);
    parts.kept = NOTHING;
    this.#pending.wait(id, { id, message: { ...plain(parts) }, parts, params });
  }

  #onAnswerRecord(bytes: Uint8Array, start: number, end: number, message: FramedMessage): void {
    if (end - start < RECORD_HEADER) return;
    const type = u8(bytes, start + 1);
    const id = u16(bytes, start + 2);
    if (id === 0 || (type !== TYPE.stdout && type !== TYPE.stderr && type !== TYPE.end)) return;
    if (this.#cut.has(id)) {
      if (type === TYPE.end) this.#cut.delete(id);
      return;
    }
    const known = this.#answers.get(id);
    const answer = known ?? { parts: new Parts(message), error: '', appStatus: 0, protocolStatus: 0 };
    if (known !== undefined) known.parts.grow(message);
    else if (this.#answers.size >= UNDER_WAY_MAXIMUM) return;
    else this.#answers.set(id, answer);
    const content = start + RECORD_HEADER;
    const stop = Math.min(end, content + u16(bytes, start + 4));
    if (type === TYPE.stdout) answer.parts.keep(bytes, content, stop, stop - content === u16(bytes, start + 4));
    else if (type === TYPE.stderr) {
      if (answer.error === '')
        answer.error = firstLine(latin1(bytes, content, Math.min(stop, content + ERROR_MAXIMUM)));
    } else {
      if (stop - content >= 5) {
        answer.appStatus = i32(bytes, content);
        answer.protocolStatus = u8(bytes, content + 4);
      }
      this.#answers.delete(id);
      this.#finish(id, answer, message.end === undefined ? this.#ending : {});
    }
  }

  #finish(id: number, answer: Answer, ending: Ending): void {
    const request = this.#pending.answered(id, answer.parts);
    if (request === undefined) {
      if (this.#context.midstream || this.#connection.missedSince(SIDE.client, -1))
        this.#emitAlone(id, answer, ending.incomplete);
      return;
    }
    // The server had received more of the request than was captured.
    const { parts } = request;
    const acknowledged = answer.parts.lastAcknowledged;
    if (this.#sending.get(id) === parts && (acknowledged < 0 || acknowledged > parts.start + parts.length))
      parts.whole = false;
    // Of an answer of which the beginning may be missing the head and the time of the first byte are not known.
    if (this.#connection.missedSince(SIDE.server, request.message.acknowledged)) answer.parts.whole = false;
    this.#emit(request, answer, this.#pending.isProven(request) ? ending : { incomplete: 'unknown' });
  }

  #emit(request: Request, answer: Answer | undefined, ending: Ending): void {
    const { params, parts, id } = request;
    const target = this.#context.showSecrets ? params.target : maskTarget(params.target);
    const method = params.method === '' ? '?' : oneLine(params.method);
    const route = oneLine(routeOf(method, target));
    const isShown = this.#context.detail || this.#context.labels === true;
    const { status, code, failed } = statusOf(answer);
    this.#context.emit({
      kind: 'exchange',
      protocol: 'fastcgi',
      label: isShown ? oneLine(`${method} ${target}`) : route,
      ...measured(parts, answer?.parts, ending),
      status,
      failed: failed || failedWithout(answer?.parts, ending.incomplete),
      route,
      fields: {
        fastcgi: {
          method: oneLine(params.method) || undefined,
          path: target || undefined,
          host: params.host || undefined,
          script: params.script || undefined,
          ...this.#answerFields(answer, code),
          requestId: id,
        },
      },
    } satisfies Exchange);
  }

  #emitAlone(id: number, answer: Answer, incomplete: Incomplete | undefined): void {
    // Its beginning may be missing as well.
    const { status, code, failed } = statusOf(incomplete === undefined ? answer : undefined);
    this.#context.emit({
      kind: 'exchange',
      protocol: 'fastcgi',
      label: REQUEST_NOT_SEEN,
      ...measured(undefined, answer.parts, {}),
      status,
      failed,
      route: REQUEST_NOT_SEEN,
      fields: { fastcgi: { ...this.#answerFields(answer, code), requestId: id } },
    });
  }

  #answerFields(answer: Answer | undefined, code: number | undefined) {
    if (answer === undefined) return {};
    const { error, appStatus } = answer;
    return {
      status: code,
      error: (this.#context.showSecrets ? error : maskText(error)) || undefined,
      appStatus: appStatus === 0 ? undefined : appStatus,
    };
  }
}

const NOTHING = new Uint8Array(0);

function plain(parts: Parts): FramedMessage {
  const { time, end, timed, bytes, length, whole, start, acknowledged, acknowledgedAtMost } = parts;
  return { time, end, timed, bytes, length, whole, start, acknowledged, acknowledgedAtMost };
}

function firstLine(text: string): string {
  return oneLine(Buffer.from(text.split('\n', 1)[0] ?? '', 'latin1').toString()).trim();
}

/** The Status of the head (RFC 3875, section 6.3.3), 200 without one; unknown where the head is not whole. */
function statusOf(answer: Answer | undefined): { status: string; code: number | undefined; failed: boolean } {
  if (answer === undefined) return { status: '', code: undefined, failed: false };
  const refusal = PROTOCOL_STATUS[answer.protocolStatus] ?? '';
  if (refusal !== '') return { status: refusal, code: undefined, failed: true };
  const text = latin1(answer.parts.kept, 0, answer.parts.kept.length);
  const end = /\r?\n\r?\n/.exec(text)?.index;
  if (end === undefined) return { status: '', code: undefined, failed: false };
  const code = Number(STATUS.exec(text.slice(0, end))?.[1] ?? 200);
  return { status: String(code), code, failed: code >= 500 };
}
