import { PENDING_PER_STREAM } from '../../limits.ts';
import { type Incomplete, SIDE, type Side } from '../../record/event.ts';
import { PairedStream } from '../paired-stream.ts';
import type { StreamContext, StreamEnd } from '../protocol.ts';
import { answerAlone, exchangeOf, type MemcachedAnswer, type MemcachedRequest, NAMES, type Outcome } from './events.ts';

/** What an answer contains, and which requests it can be for by its words. */
export interface Reading {
  status(request: MemcachedRequest | undefined): string;
  readonly failed: boolean;
  fits(request: MemcachedRequest): boolean;
}

/**
 * Requests of one connection that wait for their answers, which come in order. Quiet ones are answered only in some cases;
 * that they were not is known when a later request is answered.
 */
export class Requests {
  readonly stream: PairedStream<MemcachedRequest>;
  readonly #context: StreamContext;
  /** Quiet requests behind the last that is not. */
  #quiet: MemcachedRequest[] = [];
  /** Of requests before this client offset it is not certain which answers were theirs. */
  #doubtBefore = -1;

  constructor(context: StreamContext) {
    this.#context = context;
    this.stream = new PairedStream<MemcachedRequest>(context, NAMES, (request, why, by) =>
      this.#unanswered(request, why, by),
    );
  }

  /** A request was sent. */
  push(request: MemcachedRequest): void {
    if (request.noreply) {
      this.#emit(request, { status: 'noreply' });
      return;
    }
    if (request.quiet) {
      this.#quiet.push(request);
      if (this.#quiet.length > PENDING_PER_STREAM)
        this.#emit(this.#quiet.shift() as MemcachedRequest, { incomplete: 'unknown' });
      return;
    }
    this.stream.push(request, request);
    this.#quiet = [];
  }

  /** The quiet requests that the next one that is not stands behind. */
  get quiet(): MemcachedRequest[] {
    return this.#quiet;
  }

  /** An answer has come. @param why it is not whole */
  answer(answer: MemcachedAnswer, reading: Reading, why?: Incomplete, by?: Side): void {
    const found = this.#requestFor(answer, reading);
    if (found === undefined) return;
    const { request, doubt } = found;
    const outcome = { answer, status: reading.status(request), failed: reading.failed, endedBy: by };
    this.#emit(request, { ...outcome, incomplete: doubt ? 'unknown' : why });
  }

  /** A request of which the end was not sent. */
  unsent(request: MemcachedRequest, incomplete: Incomplete, endedBy: Side | undefined): void {
    this.#emit(request, { incomplete, endedBy });
  }

  /** The connection ends. */
  end(how: StreamEnd, by: Side | undefined): void {
    this.stream.end(how, by);
    const incomplete = how === 'closed' || how === 'reset' ? undefined : how === 'capture ended' ? how : 'unknown';
    for (const request of this.#quiet.splice(0)) {
      const missed = this.stream.missedSince(request.acknowledged);
      this.#emit(request, missed ? { incomplete: 'unknown' } : { status: 'noreply', incomplete });
    }
  }

  #requestFor(answer: MemcachedAnswer, reading: Reading): { request: MemcachedRequest; doubt: boolean } | undefined {
    const { first } = this.stream;
    const quiet = this.#quietFor(answer, reading, first);
    if (quiet === 'settled') return undefined;
    if (quiet !== undefined) return { request: quiet, doubt: !this.stream.inStep || this.#isDoubtful(quiet) };
    const paired = this.stream.answer(answer.start, answer.acknowledged);
    if (paired.kind === 'paired') {
      const { request, proven } = paired;
      for (const silent of request.before.splice(0)) this.#silent(silent);
      const fits = reading.fits(request);
      if (!fits) this.#standInDoubt(answer);
      return { request, doubt: !proven || this.#isDoubtful(request) || !fits };
    }
    if (paired.kind === 'unknown' && paired.unpaired.length > 0) return undefined;
    const incomplete = paired.kind === 'unknown' ? paired.kind : 'request not seen';
    this.#context.emit(answerAlone(answer, reading.status(undefined), reading.failed, incomplete));
    return undefined;
  }

  /** The quiet request that an answer is for, if it is for one; where it may be for several they are settled as unknown. */
  #quietFor(
    answer: MemcachedAnswer,
    { fits }: Reading,
    first: MemcachedRequest | undefined,
  ): MemcachedRequest | 'settled' | undefined {
    const list = first === undefined ? this.#quiet : first.before;
    const able = (request: MemcachedRequest) =>
      fits(request) &&
      request.acknowledged <= answer.start &&
      (answer.acknowledged < 0 || request.end <= answer.acknowledged);
    const index = list.findIndex(able);
    if (index < 0) return undefined;
    const isFirst = first !== undefined && able(first);
    if (!isFirst && !list.some((request, at) => at > index && able(request))) {
      for (const silent of list.splice(0, index)) this.#silent(silent);
      return list.shift();
    }
    for (const request of list.filter(able)) this.#emit(request, { incomplete: 'unknown' });
    const rest = list.filter((request) => !able(request));
    list.splice(0, list.length, ...rest);
    if (!isFirst) return 'settled';
    this.#standInDoubt(answer);
    return undefined;
  }

  /** Which of the requests sent so far has this answer, and which the next, is not certain. */
  #standInDoubt({ start }: MemcachedAnswer): void {
    this.#doubtBefore = this.stream.reached(SIDE.client);
    this.stream.missed(SIDE.server, start, 0);
  }

  #isDoubtful(request: MemcachedRequest): boolean {
    return request.start < this.#doubtBefore;
  }

  /** A quiet request that had no answer. */
  #silent(request: MemcachedRequest): void {
    if (this.#isDoubtful(request) || this.stream.missedSince(request.acknowledged))
      this.#emit(request, { incomplete: 'unknown' });
    else this.#emit(request, { status: request.command === 'mg' ? 'miss' : 'noreply' });
  }

  #unanswered(request: MemcachedRequest, incomplete: Incomplete, endedBy: Side | undefined): void {
    for (const quiet of request.before.splice(0)) this.#emit(quiet, { incomplete: 'unknown' });
    this.#emit(request, this.#isDoubtful(request) ? { incomplete: 'unknown' } : { incomplete, endedBy });
  }

  #emit(request: MemcachedRequest, outcome: Outcome): void {
    this.#context.emit(exchangeOf(request, outcome));
  }
}
