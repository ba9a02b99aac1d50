import { type Fields, type Incomplete, SIDE, type Side } from '../../record/event.ts';
import { maskText } from '../../record/secrets.ts';
import { LengthFramer } from '../length-framer.ts';
import { NumberedRequests } from '../numbered-requests.ts';
import { oneLine } from '../one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
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
  MESSAGE_HEADER,
  MESSAGE_SEEK,
  messageBegins,
  messageLength,
  OP_COMPRESSED,
  OP_MSG,
  OP_QUERY,
} from './message.ts';

/** Octets kept of a message: commands name what they are about first, errors are short. */
const MESSAGE_KEEP = 8192;

/** Octets of a long message's end that are kept: behind the documents drivers name the database, and servers say `ok`. */
const MESSAGE_TAIL = 512;

/** Characters of an error's text in a status, where it has no name. */
const STATUS_MAXIMUM = 120;

interface Request {
  readonly id: number;
  readonly command: Command;
  readonly compressor: string;
  readonly time: number;
  readonly end: number;
  readonly bytes: number;
  readonly whole: boolean;
  /** Answered already: what comes are further replies. */
  readonly streaming: boolean;
}

interface Response {
  readonly outcome: Outcome;
  readonly time: number;
  readonly end: number;
  readonly bytes: number;
  readonly whole: boolean;
}

/** MongoDB's wire protocol of one connection: requests and replies, paired by id. */
export class MongodbConnection implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #framers: readonly [LengthFramer, LengthFramer];
  readonly #pending = new NumberedRequests<Request>((request, why) => {
    if (!request.streaming) this.#emit(request, undefined, why);
  });

  constructor(context: StreamContext) {
    this.#context = context;
    const common = {
      header: MESSAGE_HEADER,
      keep: MESSAGE_KEEP,
      tail: MESSAGE_TAIL,
      holes: true,
      lengthOf: messageLength,
    };
    this.#framers = [
      new LengthFramer({
        ...common,
        seeking: {
          bytes: MESSAGE_SEEK,
          begins: (bytes, start) => messageBegins(bytes, start) && i32le(bytes, start + 8) === 0,
        },
        onMessage: this.#onRequest.bind(this),
        onLost: () => {},
      }),
      new LengthFramer({
        ...common,
        seeking: {
          bytes: MESSAGE_SEEK,
          begins: (bytes, start) => messageBegins(bytes, start) && this.#pending.has(i32le(bytes, start + 8)),
        },
        onMessage: this.#onReply.bind(this),
        onLost: () => {},
      }),
    ];
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    this.#framers[side].data(bytes, start, end, this.#context.now);
  }

  gap(side: Side, length: number): void {
    this.#framers[side].gap(length, this.#context.now);
  }

  end(how: StreamEnd): void {
    this.#pending.end(how === 'reset' ? 'reset' : 'no response');
  }

  #onRequest(
    bytes: Uint8Array,
    start: number,
    end: number,
    length: number,
    time: number,
    last: number,
    whole: boolean,
    tail: number,
  ): void {
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
    const request = { id, command: known, compressor, time, end: last, bytes: length, whole, streaming: false };
    if (known.oneWay) this.#emit(request, undefined, undefined);
    else this.#pending.wait(id, request);
  }

  #onReply(
    bytes: Uint8Array,
    start: number,
    end: number,
    length: number,
    time: number,
    last: number,
    whole: boolean,
    tail: number,
  ): void {
    const request = this.#pending.answered(i32le(bytes, start + 8));
    if (request === undefined) return;
    const response = { outcome: outcomeOf(bytes, start, end, length, tail), time, end: last, bytes: length, whole };
    if (request.streaming) this.#emitReply(request, response);
    else this.#emit(request, response, undefined);
    // A reply that another follows is what that one answers (OP_MSG, exhaustAllowed).
    if (response.outcome.moreToCome) {
      const id = i32le(bytes, start + 4);
      this.#pending.wait(id, { ...request, id, streaming: true });
    }
  }

  #emit(request: Request, response: Response | undefined, incomplete: Incomplete | undefined): void {
    const label = request.command.name === '' ? `(${request.compressor || 'not known'})` : commandText(request.command);
    this.#context.emit({
      kind: 'exchange',
      protocol: 'mongodb',
      label,
      time: request.time,
      requestEnd: request.end,
      responseTime: response?.time,
      responseEnd: response?.end,
      requestBytes: request.bytes,
      responseBytes: response?.bytes ?? 0,
      status: response === undefined ? '' : statusOf(response.outcome),
      failed: response === undefined ? incomplete !== undefined : isFailure(response.outcome),
      route: label,
      incomplete: request.whole && response?.whole !== false ? incomplete : 'response not captured',
      fields: { mongodb: this.#fields(request, response?.outcome ?? NOTHING_KNOWN) },
    });
  }

  /** A further reply to a request that asked for many. */
  #emitReply(request: Request, response: Response): void {
    this.#context.emit({
      kind: 'message',
      protocol: 'mongodb',
      label: commandText(request.command),
      time: response.time,
      from: SIDE.server,
      bytes: response.bytes,
      fields: { mongodb: this.#fields(request, response.outcome) },
    });
  }

  #fields({ command, compressor }: Request, { code, codeName, error }: Outcome): Fields {
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

function isFailure({ ok, code, error }: Outcome): boolean {
  return ok === false || code !== 0 || error !== '';
}

/** `ok`, `11000 DuplicateKey`, `26 ns not found`. */
function statusOf(outcome: Outcome): string {
  if (isFailure(outcome))
    return oneLine(`${outcome.code} ${outcome.codeName || outcome.error.slice(0, STATUS_MAXIMUM)}`);
  return outcome.ok === true ? 'ok' : '';
}
