import { type Fields, SIDE, type Side } from '../../record/event.ts';
import { maskText } from '../../record/secrets.ts';
import { FramedConnection, type FramedMessage } from '../framed-connection.ts';
import { type Ending, failedWithout, measured } from '../framed-exchange.ts';
import { NumberedRequests } from '../numbered-requests.ts';
import { oneLine } from '../one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { REQUEST_NOT_SEEN, unfinished } from '../unfinished.ts';
import { i32le, type Tail } from './bson.ts';
import {
  type Command,
  commandText,
  NOTHING_KNOWN,
  type Outcome,
  readCommand,
  readOutcome,
  UNKNOWN,
} from './command.ts';
import { compressorOf, decompress } from './compressed.ts';
import {
  isReply,
  MESSAGE_HEADER,
  MESSAGE_SEEK,
  messageBegins,
  messageLength,
  OP_COMPRESSED,
  OP_MSG,
  OP_QUERY,
} from './message.ts';

/** Bytes kept of a message: commands name what they are about first, errors are short. */
const MESSAGE_KEEP = 8192;

/** Bytes of a long message's end that are kept: behind the documents drivers name the database, and servers have `ok`. */
const MESSAGE_TAIL = 512;

/** Characters of an error's text in a status, where it has no name. */
const STATUS_MAXIMUM = 120;

interface Request {
  readonly id: number;
  readonly command: Command;
  readonly compressor: string;
  readonly message: FramedMessage;
  /** Answered already: what comes are further replies. */
  readonly streaming: boolean;
}

interface Response {
  readonly outcome: Outcome;
  readonly message: FramedMessage;
}

/** MongoDB's wire protocol of one connection: requests and replies, paired by id. */
export class MongodbConnection implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #connection: FramedConnection;
  readonly #pending: NumberedRequests<Request>;
  /** How the connection ended, while what is under way is handed over. */
  #ending: Ending = {};

  constructor(context: StreamContext) {
    this.#context = context;
    const common = { header: MESSAGE_HEADER, keep: MESSAGE_KEEP, tail: MESSAGE_TAIL, lengthOf: messageLength };
    this.#connection = new FramedConnection(context, {
      protocol: 'mongodb',
      title: 'MongoDB',
      sides: [
        {
          ...common,
          seeking: {
            bytes: MESSAGE_SEEK,
            begins: (bytes, start) => messageBegins(bytes, start) && !isReply(bytes, start),
          },
          onMessage: this.#onRequest.bind(this),
        },
        {
          ...common,
          seeking: {
            bytes: MESSAGE_SEEK,
            begins: (bytes, start) => messageBegins(bytes, start) && isReply(bytes, start),
          },
          onMessage: this.#onReply.bind(this),
        },
      ],
    });
    // Replies of one connection come in order, but a proxy may send the requests of several on it.
    this.#pending = new NumberedRequests<Request>(this.#connection, {
      context,
      kept: MESSAGE_KEEP,
      ordered: false,
      unanswered: (request, incomplete, endedBy) => {
        if (!request.streaming) this.#emit(request, undefined, { incomplete, endedBy });
      },
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

  #onRequest(bytes: Uint8Array, start: number, end: number, message: FramedMessage, tail: number): void {
    const { length } = message;
    let operation = i32le(bytes, start + 12);
    let command: Command | undefined;
    let compressor = '';
    if (operation === OP_COMPRESSED) {
      compressor = compressorOf(bytes, start, end);
      const inside = decompress(bytes, start, end, length);
      operation = end - start >= MESSAGE_SEEK ? i32le(bytes, start + MESSAGE_HEADER) : 0;
      if (inside !== undefined) command = readCommand(operation, inside.body, 0, inside.body.length);
    } else command = readCommand(operation, bytes, start + MESSAGE_HEADER, end, tailOf(start, length, tail));
    if (operation !== OP_MSG && operation !== OP_QUERY) return;
    const id = i32le(bytes, start + 4);
    const known = command ?? UNKNOWN;
    const request = { id, command: known, compressor, message, streaming: false };
    if (known.oneWay) this.#emit(request, undefined, {});
    else this.#pending.wait(id, request);
  }

  #onReply(bytes: Uint8Array, start: number, end: number, message: FramedMessage, tail: number): void {
    const outcome = outcomeOf(bytes, start, end, message.length, tail);
    const response = { outcome, message };
    const request = this.#pending.answered(i32le(bytes, start + 8), message);
    if (request === undefined) {
      // Where all requests were seen it is a further reply, or one to a request that needs none.
      const unseen = this.#context.midstream || this.#connection.missedSince(SIDE.client, -1);
      if (unseen) this.#emitAlone(response);
      return;
    }
    if (request.streaming) this.#emitReply(request, response);
    else this.#emit(request, response, message.end === undefined ? this.#ending : {});
    // A reply that another follows is what that one answers (OP_MSG, exhaustAllowed).
    if (outcome.moreToCome) {
      const id = i32le(bytes, start + 4);
      this.#pending.wait(id, { ...request, id, streaming: true });
    }
  }

  #emit(request: Request, response: Response | undefined, ending: Ending): void {
    const label = request.command.name === '' ? `(${request.compressor || 'not known'})` : commandText(request.command);
    this.#context.emit({
      kind: 'exchange',
      protocol: 'mongodb',
      label,
      ...measured(request.message, response?.message, ending),
      status: response === undefined ? '' : statusOf(response.outcome),
      failed:
        (response !== undefined && isFailed(response.outcome)) || failedWithout(response?.message, ending.incomplete),
      route: label,
      fields: { mongodb: this.#fields(request, response?.outcome ?? NOTHING_KNOWN) },
    });
  }

  /** A reply to a request that was not captured. */
  #emitAlone({ outcome, message }: Response): void {
    this.#context.emit({
      kind: 'exchange',
      protocol: 'mongodb',
      label: REQUEST_NOT_SEEN,
      ...measured(undefined, message, {}),
      status: statusOf(outcome),
      failed: isFailed(outcome),
      route: REQUEST_NOT_SEEN,
      fields: { mongodb: this.#fields({ command: UNKNOWN, compressor: '' }, outcome) },
    });
  }

  /** A further reply to a request that asked for many. */
  #emitReply(request: Request, response: Response): void {
    this.#context.emit({
      kind: 'message',
      protocol: 'mongodb',
      label: commandText(request.command),
      time: response.message.time,
      from: SIDE.server,
      bytes: response.message.length,
      fields: { mongodb: this.#fields(request, response.outcome) },
    });
  }

  #fields(
    { command, compressor }: Pick<Request, 'command' | 'compressor'>,
    { code, codeName, error }: Outcome,
  ): Fields {
    const plain = {
      command: command.name || undefined,
      database: command.database || undefined,
      collection: command.collection || undefined,
      error: (this.#context.showSecrets ? error : maskText(error)) || undefined,
      code: code || undefined,
    };
    if (!this.#context.detail) return plain;
    return {
      ...plain,
      codeName: codeName || undefined,
      mechanism: command.mechanism || undefined,
      compressor: compressor || undefined,
    };
  }
}

function outcomeOf(bytes: Uint8Array, start: number, end: number, length: number, tail: number): Outcome {
  const operation = i32le(bytes, start + 12);
  if (operation !== OP_COMPRESSED) {
    return readOutcome(operation, bytes, start + MESSAGE_HEADER, end, tailOf(start, length, tail));
  }
  const inside = decompress(bytes, start, end, length);
  return inside === undefined ? NOTHING_KNOWN : readOutcome(inside.operation, inside.body, 0, inside.body.length);
}

function tailOf(start: number, length: number, tail: number): Tail | undefined {
  return tail < 0 ? undefined : { from: start + length - MESSAGE_TAIL, start: tail, end: tail + MESSAGE_TAIL };
}

function isFailed({ ok, code, error }: Outcome): boolean {
  return ok === false || code !== 0 || error !== '';
}

/** `ok`, `11000 DuplicateKey`, `26 ns not found`. */
function statusOf(outcome: Outcome): string {
  if (isFailed(outcome))
    return oneLine(`${outcome.code} ${outcome.codeName || outcome.error.slice(0, STATUS_MAXIMUM)}`);
  return outcome.ok === true ? 'ok' : '';
}
