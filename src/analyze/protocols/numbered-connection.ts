import { type Fields, SIDE, type Side } from '../record/event.ts';
import { FramedConnection, type FramedMessage } from './framed-connection.ts';
import { type Ending, failedWithout, measured } from './framed-exchange.ts';
import { NumberedRequests } from './numbered-requests.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from './protocol.ts';
import { REQUEST_NOT_SEEN, unfinished } from './unfinished.ts';

/** What pairs a request with its answer. */
export type RequestKey = number | bigint | string;

/** A request that awaits an answer. Texts are of one line, without secrets. */
export interface AskedRequest {
  readonly kind: 'request';
  readonly key: RequestKey;
  /** It began with the 'beginning' before it. */
  readonly continues?: boolean;
  readonly label: string;
  readonly route: string;
  readonly fields: Fields;
}

/** The first message of a request of two. */
export interface RequestBeginning {
  readonly kind: 'beginning';
}

/** An answer. */
export interface GivenAnswer {
  readonly kind: 'answer';
  readonly key: RequestKey;
  /** Empty where it is not known how it went. */
  readonly status: string;
  readonly failed: boolean;
  readonly fields: Fields;
}

/** What has no answer. */
export interface OneWayMessage {
  readonly kind: 'message';
  readonly label: string;
  readonly fields: Fields;
}

/** An error that no request is known to have caused. */
export interface StatedError {
  readonly kind: 'error';
  readonly code: string;
  readonly label: string;
  readonly fields: Fields;
}

export type Said = AskedRequest | RequestBeginning | GivenAnswer | OneWayMessage | StatedError;

/** A protocol whose messages state their length, and whose answers name their request. */
export interface NumberedProtocol {
  readonly protocol: string;
  readonly title: string;
  /** As of Framing. */
  readonly header: number;
  readonly headerMaximum?: number;
  readonly keep: number;
  lengthOf(bytes: Uint8Array, start: number, end: number): number | undefined;
  /** How many bytes `begins` looks at. */
  readonly seek: number;
  /** It is asked as soon as so many are there; without it, as soon as all are. */
  readonly least?: number;
  /** Whether a message of a side begins here: asked at every byte after a loss. Undefined where that takes more bytes. */
  begins(side: Side, bytes: Uint8Array, start: number, end: number): boolean | undefined;
}

/** Of one connection. */
export interface NumberedReader {
  /**
   * What a message of a side says, read from what is kept of it: all of it where it is not longer than `keep` and `isWhole`.
   * Undefined for what is not shown.
   */
  read(side: Side, bytes: Uint8Array, start: number, end: number, isWhole: boolean): Said | undefined;
}

interface Request extends AskedRequest {
  readonly message: FramedMessage;
}

/** One connection of such a protocol. */
export class NumberedConnection implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #about: NumberedProtocol;
  readonly #reader: NumberedReader;
  readonly #connection: FramedConnection;
  readonly #pending: NumberedRequests<Request, RequestKey>;
  /** The beginning of a request, until the client's next message that is shown. */
  #begun: FramedMessage | undefined;
  /** How the connection ended, while what is under way is handed over. */
  #ending: Ending = {};

  constructor(context: StreamContext, about: NumberedProtocol, reader: NumberedReader) {
    this.#context = context;
    this.#about = about;
    this.#reader = reader;
    const framing = (side: Side) => ({
      header: about.header,
      ...(about.headerMaximum === undefined ? {} : { headerMaximum: about.headerMaximum }),
      keep: about.keep,
      seeking: {
        bytes: about.seek,
        least: about.least ?? about.seek,
        begins: (bytes: Uint8Array, start: number, end: number) => about.begins(side, bytes, start, end),
      },
      lengthOf: about.lengthOf,
      onMessage: (bytes: Uint8Array, start: number, end: number, message: FramedMessage) =>
        this.#onMessage(side, bytes, start, end, message),
    });
    this.#connection = new FramedConnection(context, {
      protocol: about.protocol,
      title: about.title,
      sides: [framing(SIDE.client), framing(SIDE.server)],
    });
    this.#pending = new NumberedRequests<Request, RequestKey>(this.#connection, {
      context,
      kept: about.keep,
      ordered: false,
      unanswered: (request, incomplete, endedBy) => this.#emit(request, undefined, undefined, { incomplete, endedBy }),
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
    this.#pending.end(how, by);
  }

  #onMessage(side: Side, bytes: Uint8Array, start: number, end: number, message: FramedMessage): void {
    const isWhole = end - start === message.length;
    const said = end - start < this.#about.header ? undefined : this.#reader.read(side, bytes, start, end, isWhole);
    if (said === undefined) {
      if (!isWhole && this.#ending.incomplete !== 'capture ended') this.#connection.miss(side, message);
      return;
    }
    if (said.kind === 'message') this.#emitMessage(side, said, message);
    else if (said.kind === 'error') this.#emitError(side, said, message);
    else if (said.kind === 'beginning') this.#begun = message;
    else if (said.kind === 'request') {
      if (side === SIDE.client) this.#wait(said, message);
      else this.#emitMessage(side, { kind: 'message', label: said.label, fields: said.fields }, message);
    } else if (side === SIDE.server) this.#onAnswer(said, message);
  }

  #wait(said: AskedRequest, message: FramedMessage): void {
    const begun = said.continues === true ? this.#begun : undefined;
    this.#begun = undefined;
    this.#pending.wait(said.key, { ...said, message: begun === undefined ? message : joined(begun, message) });
  }

  #onAnswer(answer: GivenAnswer, message: FramedMessage): void {
    const request = this.#pending.answered(answer.key, message);
    if (request === undefined) {
      // Where all requests were seen it answers one that is answered already.
      const isUnseen = this.#context.midstream || this.#connection.missedSince(SIDE.client, -1);
      if (isUnseen) this.#emitAlone(answer, message);
      return;
    }
    const ending = message.end === undefined ? this.#ending : {};
    this.#emit(request, answer, message, this.#pending.isProven(request) ? ending : { incomplete: 'unknown' });
  }

  #emit(request: Request, answer: GivenAnswer | undefined, message: FramedMessage | undefined, ending: Ending): void {
    const isShown = this.#context.detail || this.#context.labels === true;
    this.#context.emit({
      kind: 'exchange',
      protocol: this.#about.protocol,
      label: isShown ? request.label : request.route,
      ...measured(request.message, message, ending),
      status: answer?.status ?? '',
      failed: answer?.failed === true || failedWithout(message, ending.incomplete),
      route: request.route,
      fields: { [this.#about.protocol]: { ...request.fields, ...answer?.fields } },
    });
  }

  #emitAlone(answer: GivenAnswer, message: FramedMessage): void {
    this.#context.emit({
      kind: 'exchange',
      protocol: this.#about.protocol,
      label: REQUEST_NOT_SEEN,
      ...measured(undefined, message, {}),
      status: answer.status,
      failed: answer.failed,
      route: REQUEST_NOT_SEEN,
      fields: { [this.#about.protocol]: answer.fields },
    });
  }

  #emitError(from: Side, { code, label, fields }: StatedError, { time }: FramedMessage): void {
    const { protocol } = this.#about;
    this.#context.emit({
      kind: 'event',
      protocol,
      code,
      label,
      time,
      from,
      failed: true,
      fields: { [protocol]: fields },
    });
  }

  #emitMessage(from: Side, { label, fields }: OneWayMessage, message: FramedMessage): void {
    this.#context.emit({
      kind: 'message',
      protocol: this.#about.protocol,
      label,
      time: message.time,
      from,
      bytes: message.length,
      fields: { [this.#about.protocol]: fields },
    });
  }
}

/** Two messages that are one request. */
function joined(first: FramedMessage, last: FramedMessage): FramedMessage {
  return {
    ...first,
    end: last.end,
    timed: first.timed && last.timed,
    bytes: first.bytes + last.bytes,
    length: last.start + last.length - first.start,
    whole: first.whole && last.whole,
  };
}
