import { type Incomplete, SIDE, type Side } from '../record/event.ts';
import { type Answer, Pairing, type RequestSpan } from './pairing.ts';
import type { StreamContext, StreamEnd } from './protocol.ts';
import { protocolLost } from './protocol-lost.ts';
import { unfinished } from './unfinished.ts';

/** What a protocol calls its messages. */
export interface MessageNames {
  readonly protocol: string;
  readonly title: string;
  readonly request: string;
  readonly answer: string;
  /** Bytes of the shortest request there is. */
  readonly shortest: number;
}

/** A request that waits: what its packet acknowledged of the server's bytes, -1 if unknown. */
interface Waiting {
  readonly acknowledged: number;
}

/** Takes requests that will have no answer, and why; `by` is who ended the connection. */
type Unanswered<R> = (request: R, incomplete: Incomplete, by?: Side) => void;

/** What a protocol without message numbers keeps of a connection: requests that wait, and what of both sides was not read. */
export class PairedStream<R extends Waiting> {
  readonly #context: StreamContext;
  readonly #names: MessageNames;
  readonly #unanswered: Unanswered<R>;
  readonly #pairing: Pairing<R>;
  /** By side: stream offset behind what was delivered. */
  readonly #reached: [number, number];
  /** By side: skipping was announced since it was last understood. */
  readonly #announced: [boolean, boolean] = [false, false];
  /** Stream offset behind the last server bytes that may have held answers and were not read. */
  #lostEnd = -1;
  /** The last answer may have been another request's than stated. */
  #doubt = false;

  constructor(context: StreamContext, names: MessageNames, unanswered: Unanswered<R>) {
    this.#context = context;
    this.#names = names;
    this.#unanswered = unanswered;
    this.#pairing = new Pairing(context, names.shortest);
    this.#reached = [context.beginning(SIDE.client), context.beginning(SIDE.server)];
  }

  /** Requests that wait. */
  get size(): number {
    return this.#pairing.size;
  }

  /** The oldest request that waits. */
  get first(): R | undefined {
    return this.#pairing.first;
  }

  /** Whether the next answer is the first request's, or belongs to none. */
  get inStep(): boolean {
    return this.#pairing.inStep;
  }

  /**
   * During a data() call: whether an answer begins with these bytes because a client that waits for its answers had received
   * all before them when it sent its last request.
   */
  get answerBegins(): boolean {
    return this.#pairing.last?.acknowledged === this.#context.offset;
  }

  /** Stream offset behind what was delivered of a side. */
  reached(side: Side): number {
    return this.#reached[side];
  }

  /** During a data() call: bytes before these that were not captured before the protocol was recognised. */
  unheard(side: Side): number {
    return Math.max(0, this.#context.offset - this.#reached[side]);
  }

  /** During a data() call of so many bytes. */
  delivered(side: Side, length: number): void {
    this.#reached[side] = this.#context.offset + length;
  }

  /** Bytes were not captured; `missed` is to be called where they may hold a message's beginning. @returns their offset */
  gap(side: Side, length: number): number {
    const offset = this.#reached[side];
    this.#reached[side] = offset + length;
    return offset;
  }

  /** Whether answers may have been missed among the server's bytes from this offset on. */
  missedSince(offset: number): boolean {
    return this.#lostEnd > offset;
  }

  /** Bytes that may hold the beginning of messages were not read. */
  missed(side: Side, offset: number, length: number): void {
    if (side === SIDE.client) {
      this.#pairing.clientGap(offset, length);
      return;
    }
    this.#pairing.serverGap(offset, length);
    this.#lostEnd = offset + length;
  }

  /** During a data() call: captured bytes cannot be read. The first time since `understood` an event reports it. */
  skipped(side: Side, offset: number, length: number): void {
    this.missed(side, offset, length);
    if (this.#announced[side]) return;
    this.#announced[side] = true;
    const { protocol, title, request, answer } = this.#names;
    this.#context.emit(
      protocolLost({
        protocol,
        title,
        side,
        position: offset,
        time: this.#context.now,
        why: `no ${side === SIDE.client ? request : answer} is known to begin there`,
        next:
          side === SIDE.client ? `resumes at the next ${request}` : `resumes at the ${answer} to the next ${request}`,
      }),
    );
  }

  /**
   * What was skipped ends at this stream offset, where a message begins: answers may have begun before it, also to requests that were sent
   * since bytes were skipped first. To be called before `understood`.
   */
  skippedUntil(side: Side, offset: number): void {
    if (side === SIDE.server && this.#announced[side]) this.missed(side, 0, offset);
  }

  /** Messages of a side are read again. */
  understood(side: Side): void {
    this.#announced[side] = false;
  }

  /** A request that awaits an answer was sent. */
  push(request: R, span: RequestSpan): void {
    const dropped = this.#pairing.push(request, span);
    if (dropped !== undefined) this.#unanswered(dropped, 'unknown');
  }

  /** Which request an answer is for; those that this proves unanswered are reported. */
  answer(start: number, acknowledged: number): Answer<R> {
    const answer = this.#pairing.answer({ start, acknowledged });
    this.#doubt = answer.kind === 'unknown' || (answer.kind === 'paired' && !answer.proven);
    for (const request of answer.skipped) this.#unanswered(request, 'response not captured');
    for (const request of answer.unpaired) this.#unanswered(request, 'unknown');
    return answer;
  }

  /** The protocol knows that no earlier request awaits an answer. @returns those that were pending */
  resynchronise(): R[] {
    return this.#pairing.resynchronise();
  }

  /** The connection ends: what waits has no answer. */
  end(how: StreamEnd, by: Side | undefined): void {
    for (const request of this.#pairing.doubtful()) this.#unanswered(request, 'unknown');
    const doubt = this.#doubt || !this.#pairing.inStep;
    for (const request of this.#pairing.rest()) {
      const why = this.#withoutAnswer(request, how, doubt);
      this.#unanswered(request, why, why === 'capture ended' ? undefined : by);
    }
  }

  #withoutAnswer({ acknowledged }: R, how: StreamEnd, doubt: boolean): Incomplete {
    if (this.missedSince(acknowledged)) return 'response not captured';
    // Answers came after it, and whether one of them was its own is not proven.
    if (doubt && this.#reached[SIDE.server] > acknowledged) return 'unknown';
    return unfinished(how, false);
  }
}
