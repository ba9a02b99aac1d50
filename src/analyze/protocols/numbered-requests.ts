import { PENDING_PER_STREAM } from '../limits.ts';
import { type Incomplete, otherSide, SIDE, type Side } from '../record/event.ts';
import type { FramedConnection, FramedMessage } from './framed-connection.ts';
import type { StreamContext, StreamEnd } from './protocol.ts';
import { unfinished } from './unfinished.ts';

/** A request as its protocol keeps it, and the message that it came in. */
export interface NumberedRequest {
  readonly message: FramedMessage;
}

export interface NumberedOptions<Request> {
  /** Counts what waits behind others on all connections. */
  readonly context: Pick<StreamContext, 'countPending'>;
  /** Bytes of a message of which texts are kept, at most. */
  readonly kept: number;
  /** Answers come in the requests' order. */
  readonly ordered: boolean;
  /** Whose requests these are; the client's, where that is not stated. */
  readonly requester?: Side;
  /** Takes a request that will have no answer; `by` is who ended the connection. */
  unanswered(request: Request, why: Incomplete, by?: Side): void;
}

/** What a request takes that waits, about, besides its own texts. */
const REQUEST_BYTES = 1024;

/** A request that waits, and the bytes that it counts for; 0 for one that waited behind none. */
interface Waiting<Request> {
  readonly request: Request;
  readonly bytes: number;
}

/**
 * Requests of a connection that wait for their answers, which name them by number (or by text, as `Key`). Bounded: PENDING_PER_STREAM of them, and of all
 * connections PENDING_TOTAL_BYTES besides the oldest of each.
 */
export class NumberedRequests<Request extends NumberedRequest, Key extends number | bigint | string = number> {
  readonly #waiting = new Map<Key, Waiting<Request>>();
  readonly #connection: Pick<FramedConnection, 'missedSince'>;
  readonly #options: NumberedOptions<Request>;
  readonly #requester: Side;
  readonly #answerer: Side;

  constructor(connection: Pick<FramedConnection, 'missedSince'>, options: NumberedOptions<Request>) {
    this.#connection = connection;
    this.#options = options;
    this.#requester = options.requester ?? SIDE.client;
    this.#answerer = otherSide(this.#requester);
  }

  has(number: Key): boolean {
    return this.#waiting.has(number);
  }

  /** A request was sent. What becomes of one with the same number, or of the oldest of too many, is not known. */
  wait(number: Key, request: Request): void {
    this.#drop(number, 'unknown');
    const bytes = this.#waiting.size === 0 ? 0 : REQUEST_BYTES + Math.min(request.message.length, this.#options.kept);
    this.#waiting.set(number, { request, bytes });
    if (bytes === 0) return;
    const isWithin = this.#options.context.countPending?.(bytes) ?? true;
    if (isWithin && this.#waiting.size <= PENDING_PER_STREAM) return;
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined) this.#drop(oldest, 'unknown');
  }

  /** The request that a message may answer, or be a part of the answer to; it waits on. */
  awaiting(number: Key, answer: FramedMessage): Request | undefined {
    const request = this.#waiting.get(number)?.request;
    return request !== undefined && mayAnswer(request.message, answer) ? request : undefined;
  }

  /**
   * The request that is answered: one that the server had received and that was sent before the answer was received. In
   * order, the answers to those before it were not captured.
   */
  answered(number: Key, answer: FramedMessage): Request | undefined {
    const request = this.awaiting(number, answer);
    if (request === undefined) return undefined;
    if (this.#options.ordered) {
      for (const earlier of this.#waiting.keys()) {
        if (earlier === number) break;
        this.#drop(earlier, 'unknown');
      }
    }
    this.#take(number);
    return request;
  }

  /** The request, which its sender has given up; it waits no longer. */
  withdraw(number: Key): Request | undefined {
    return this.#take(number);
  }

  /**
   * Whether an answer in the requests' order is proven to be this request's: its own may have been missed, and so may have been a
   * later request with the same number, as clients that begin to count anew send it.
   */
  isProven({ message }: Request): boolean {
    const connection = this.#connection;
    const isAnswerMissed = connection.missedSince(this.#answerer, message.acknowledged);
    return !isAnswerMissed || !connection.missedSince(this.#requester, message.start + message.length);
  }

  /** No further answer will come. */
  end(how: StreamEnd, by: Side | undefined): void {
    for (const number of this.#waiting.keys()) this.#drop(number, unfinished(how, false), by);
  }

  #take(number: Key): Request | undefined {
    const waiting = this.#waiting.get(number);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(number);
    if (waiting.bytes > 0) this.#options.context.countPending?.(-waiting.bytes);
    return waiting.request;
  }

  #drop(number: Key, why: Incomplete, by?: Side): void {
    const request = this.#take(number);
    if (request === undefined) return;
    const isMissed = this.#connection.missedSince(this.#answerer, request.message.acknowledged);
    if (isMissed) this.#options.unanswered(request, 'response not captured');
    else this.#options.unanswered(request, why, why === 'capture ended' ? undefined : by);
  }
}

/** Whether the server had received the request when it sent the answer, and the client not the answer when it asked. */
export function mayAnswer(request: FramedMessage, answer: FramedMessage): boolean {
  if (request.acknowledged > answer.start) return false;
  return answer.acknowledgedAtMost < 0 || request.start + request.length <= answer.acknowledgedAtMost;
}
