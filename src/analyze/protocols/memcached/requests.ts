import { PENDING_PER_STREAM } from '../../limits.ts';
import { type Incomplete, SIDE, type Side } from '../../record/event.ts';
import { PairedStream } from '../paired-stream.ts';
import type { StreamContext, StreamEnd } from '../protocol.ts';
import { type Answer, type Asked, answerAlone, exchangeOf, NAMES, type Outcome } from './events.ts';

/** What an answer contains, and which requests it can be for by its words. */
export interface Reading {
  status(asked: Asked | undefined): string;
  readonly failed: boolean;
  fits(asked: Asked): boolean;
}

/**
 * Requests of one connection that wait for their answers, which come in order. Quiet ones are answered only in some cases;
 * that they were not is known when a later request is answered.
 */
export class Requests {
  readonly stream: PairedStream<Asked>;
  readonly #context: StreamContext;
  /** Quiet requests behind the last that is not. */
  #quiet: Asked[] = [];
  /** Of requests before this client offset it is not certain which answers were theirs. */
  #doubtBefore = -1;

  constructor(context: StreamContext) {
    this.#context = context;
    this.stream = new PairedStream<Asked>(context, NAMES, (asked, why, by) => this.#unanswered(asked, why, by));
  }

  /** A request was sent. */
  push(asked: Asked): void {
    if (asked.noreply) {
      this.#emit(asked, { status: 'noreply' });
      return;
    }
    if (asked.quiet) {
      this.#quiet.push(asked);
      if (this.#quiet.length > PENDING_PER_STREAM) this.#emit(this.#quiet.shift() as Asked, { incomplete: 'unknown' });
      return;
    }
    this.stream.push(asked, asked);
    this.#quiet = [];
  }

  /** The quiet requests that the next one that is not stands behind. */
  get quiet(): Asked[] {
    return this.#quiet;
  }

  /** An answer has come. @param why it is not whole */
  answer(answer: Answer, reading: Reading, why?: Incomplete, by?: Side): void {
    const asked = this.#askedFor(answer, reading);
    if (asked === undefined) return;
    const { request, doubt } = asked;
    const outcome = { answer, status: reading.status(request), failed: reading.failed, endedBy: by };
    this.#emit(request, { ...outcome, incomplete: doubt ? 'unknown' : why });
  }

  /** A request of which the end was not sent. */
  unsent(asked: Asked, incomplete: Incomplete, endedBy: Side | undefined): void {
    this.#emit(asked, { incomplete, endedBy });
  }

  /** The connection ends. */
  end(how: StreamEnd, by: Side | undefined): void {
    this.stream.end(how, by);
    const incomplete = how === 'closed' || how === 'reset' ? undefined : how === 'capture ended' ? how : 'unknown';
    for (const asked of this.#quiet.splice(0)) {
      const missed = this.stream.missedSince(asked.acknowledged);
      this.#emit(asked, missed ? { incomplete: 'unknown' } : { status: 'noreply', incomplete });
    }
  }

  #askedFor(answer: Answer, reading: Reading): { request: Asked; doubt: boolean } | undefined {
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
  #quietFor(answer: Answer, { fits }: Reading, first: Asked | undefined): Asked | 'settled' | undefined {
    const list = first === undefined ? this.#quiet : first.before;
    const able = (asked: Asked) =>
      fits(asked) &&
      asked.acknowledged <= answer.start &&
      (answer.acknowledged < 0 || asked.end <= answer.acknowledged);
    const index = list.findIndex(able);
    if (index < 0) return undefined;
    const isFirst = first !== undefined && able(first);
    if (!isFirst && !list.some((asked, at) => at > index && able(asked))) {
      for (const silent of list.splice(0, index)) this.#silent(silent);
      return list.shift();
    }
    for (const asked of list.filter(able)) this.#emit(asked, { incomplete: 'unknown' });
    const rest = list.filter((asked) => !able(asked));
    list.splice(0, list.length, ...rest);
    if (!isFirst) return 'settled';
    this.#standInDoubt(answer);
    return undefined;
  }

  /** Which of the requests sent so far has this answer, and which the next, is not certain. */
  #standInDoubt({ start }: Answer): void {
    this.#doubtBefore = this.stream.reached(SIDE.client);
    this.stream.missed(SIDE.server, start, 0);
  }

  #isDoubtful(asked: Asked): boolean {
    return asked.start < this.#doubtBefore;
  }

  /** A quiet request that had no answer. */
  #silent(asked: Asked): void {
    if (this.#isDoubtful(asked) || this.stream.missedSince(asked.acknowledged))
      this.#emit(asked, { incomplete: 'unknown' });
    else this.#emit(asked, { status: asked.command === 'mg' ? 'miss' : 'noreply' });
  }

  #unanswered(asked: Asked, incomplete: Incomplete, endedBy: Side | undefined): void {
    for (const quiet of asked.before.splice(0)) this.#emit(quiet, { incomplete: 'unknown' });
    this.#emit(asked, this.#isDoubtful(asked) ? { incomplete: 'unknown' } : { incomplete, endedBy });
  }

  #emit(asked: Asked, outcome: Outcome): void {
    this.#context.emit(exchangeOf(asked, outcome));
  }
}
