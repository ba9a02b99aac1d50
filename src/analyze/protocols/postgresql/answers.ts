import { PENDING_PER_STREAM } from '../../limits.ts';
import type { Incomplete, Side } from '../../record/event.ts';
import { Pairing } from '../pairing.ts';
import type { StreamContext, StreamEnd } from '../protocol.ts';
import { unfinished } from '../unfinished.ts';
import {
  type Answered,
  Cycle,
  type CycleSink,
  endsCycle,
  isExchange,
  nothingAnswered,
  type PostgresqlAnswer,
  type Step,
} from './cycle.ts';
import { endedByServer, type Login, statementExchange } from './exchange.ts';
import { Fragment } from './fragment.ts';
import type { SqlError } from './messages.ts';

/** Steps that a cycle may have however many cycles wait for their answers. */
const STEPS_MINIMUM = 8;

/** Where a message lies in its stream, and what its first packet acknowledges of the other; -1 where unknown. */
export interface Place {
  readonly start: number;
  readonly end: number;
  readonly acknowledged: number;
}

/**
 * Pairs requests with answers, cycle by cycle (see Cycle). As long as nothing is missing the
 * cycle whose turn it is takes each message; else an answer is gathered up to its ReadyForQuery and then given to the
 * cycle that it provably answers.
 */
export class Answers implements CycleSink {
  login: Login = { user: '', database: '' };
  readonly #context: StreamContext;
  readonly #pairing: Pairing<Cycle>;
  /** What the client adds to. */
  #open: Cycle | undefined;
  /** Whose answer is under way, in step; and where that began. */
  #current: Cycle | undefined;
  #begun: Place = { start: 0, end: 0, acknowledged: -1 };
  #fragment: Fragment | undefined;
  /** The next answer's beginning is not missing. */
  #clean: boolean;
  /** Server offset behind the last bytes that were not captured. */
  #lostEnd = 0;
  /** A request was sent before any byte of the server was seen: answers may be missing before the first one seen. */
  #unknownPlace = false;
  /** Client or server bytes are missing, or may be: a mismatch is expected. */
  #isHoled: boolean;
  #endedBy: Side | undefined;
  /** Of the answer that is given to its cycle: the pair is likely, but not proven. */
  #doubt: Incomplete | undefined;

  constructor(context: StreamContext) {
    this.#context = context;
    this.#pairing = new Pairing(context);
    this.#clean = !context.midstream;
    this.#isHoled = context.midstream;
  }

  /** The client's next step. */
  ask(step: Step, place: Place): void {
    const { kind } = step;
    if (kind === 'sync' && this.#current?.copying !== undefined) return;
    let cycle = this.#open;
    // After an error the server ignores all up to Sync, also what it had not received yet.
    if (cycle?.skipping === true && kind !== 'sync') return;
    if (cycle === undefined) {
      cycle = new Cycle(place.start, place.end, place.acknowledged);
      this.#unknownPlace ||= place.acknowledged < 0 && !this.#context.midstream;
      const dropped = this.#pairing.push(cycle, place);
      if (dropped !== undefined) this.#giveUp(dropped, 'unknown');
    }
    this.#open = endsCycle(kind) ? undefined : cycle;
    const dropped = cycle.add(step, Math.max(STEPS_MINIMUM, PENDING_PER_STREAM / this.#pairing.size));
    if (dropped !== undefined && isExchange(dropped)) this.finish(dropped, nothingAnswered(), undefined, 'unknown');
  }

  /** COPY data of the client: they are the statement's own. */
  copied(last: number, length: number): void {
    const step = this.#current?.copying;
    if (step === undefined) return;
    step.bytes += length;
    step.end = last;
  }

  /** CopyDone or CopyFail. */
  copyEnded(last: number, length: number): void {
    const copying = this.#current;
    if (copying?.copying !== undefined) {
      this.copied(last, length);
      copying.copying = undefined;
    } else if (this.#open !== undefined) this.#open.copyDone = true;
    else {
      const cycle = this.#pairing.last;
      if (cycle !== undefined) cycle.copyDoneBehind = true;
    }
  }

  /** Client bytes that may have been messages were not captured. */
  clientGap(offset: number, length: number): void {
    this.#isHoled = true;
    this.#pairing.clientGap(offset, length);
    if (this.#open !== undefined) this.#open.holed = true;
    this.#open = undefined;
  }

  /** Server bytes that may have been messages were not captured. */
  serverGap(offset: number, length: number): void {
    this.#isHoled = true;
    this.#lostEnd = Math.max(this.#lostEnd, offset + length);
    this.serverLost(offset, length);
  }

  /** Server bytes are no messages, or none that can come where they are. */
  serverLost(offset: number, length: number): void {
    this.#unknownPlace = false;
    const current = this.#current;
    if (current !== undefined) {
      current.answerHoled = true;
      current.answered.tag = '';
    }
    this.#current = undefined;
    this.#fragment = undefined;
    this.#clean = false;
    this.#pairing.serverGap(offset, length);
  }

  /** A row, not the first message of its answer, is taken. @returns false where it is to be looked at as a message */
  row(length: number): boolean {
    const current = this.#current;
    return current !== undefined && this.#pairing.first === current && current.row(length);
  }

  /**
   * The server's next message.
   * @returns false where nothing is missing and it is not what may come now
   */
  message(message: PostgresqlAnswer, place: Place): boolean {
    if (this.#unknownPlace) this.serverGap(0, 1);
    if (this.#current === undefined && this.#fragment === undefined && !this.#begin(message, place)) return true;
    const current = this.#current;
    // It may have been dropped because of the bound.
    if (current !== undefined && this.#pairing.first === current) {
      const taken = current.take(message, this);
      if (taken === 'mismatch') return this.#mismatch(current, message, place);
      if (taken !== 'taken') this.#finishCurrent(place, taken === 'end at next sync');
      return true;
    }
    this.#current = undefined;
    this.#fragment ??= new Fragment(place.start, place.acknowledged, false);
    this.#fragment.add(message);
    if (message.type === 'Z') this.#finishFragment(this.#fragment);
    return true;
  }

  /** No more bytes will come. @param reached server offset behind what came */
  end(how: StreamEnd, by: Side | undefined, reached: number): void {
    this.#endedBy = how === 'closed' || how === 'reset' ? by : undefined;
    const fragment = this.#fragment;
    if (fragment !== undefined) this.#endFragment(fragment, how);
    for (const cycle of this.#pairing.doubtful()) this.#giveUp(cycle, 'unknown');
    // Answers that were given to none may be theirs.
    const isUnanswered = this.#pairing.inStep;
    for (const cycle of this.#pairing.rest()) {
      const isLost = cycle.answerHoled || this.#lostEnd > Math.max(0, cycle.acknowledged);
      // To one that acknowledges all that the server has sent, nothing was sent since.
      const isSilent = reached <= cycle.acknowledged;
      const why = isUnanswered || isSilent ? how : 'unknown';
      this.#giveUp(cycle, isLost ? 'response not captured' : why);
    }
  }

  finish(step: Step, answered: Answered, last: number | undefined, incomplete: Incomplete | undefined): void {
    this.#emit(step, answered, last, incomplete);
  }

  /** An answer begins. @returns false where the message cannot begin one */
  #begin(message: PostgresqlAnswer, place: Place): boolean {
    const { first, inStep, size } = this.#pairing;
    if (size === 0 && inStep && this.#clean && message.error !== undefined && isFatal(message.error)) {
      this.#endedByServer(message.error, message.last);
      return false;
    }
    this.#begun = place;
    const isAllowed =
      first !== undefined &&
      first.acknowledged <= place.start &&
      (place.acknowledged < 0 || first.end <= place.acknowledged);
    if (isAllowed && inStep && this.#clean && !first.answerHoled) this.#current = first;
    else this.#fragment = new Fragment(place.start, place.acknowledged, this.#clean);
    return true;
  }

  #finishCurrent(place: Place, atNextSync: boolean): void {
    this.#settle(this.#begun);
    let isAtSync = !atNextSync;
    while (!isAtSync && this.#pairing.first !== undefined && this.#pairing.first !== this.#open) {
      const next = this.#pairing.first;
      isAtSync = next.steps.at(-1)?.kind === 'sync';
      if (this.#settle(place) !== next) break;
    }
    this.#current = undefined;
    this.#clean = true;
  }

  /** Whom an answer that began at a place answers; those before it are settled. */
  #settle({ start, acknowledged }: Place): Cycle | 'request not seen' | 'unknown' {
    const answer = this.#pairing.answer({ start, acknowledged });
    for (const cycle of answer.skipped) this.#giveUp(cycle, 'response not captured');
    for (const cycle of answer.unpaired) this.#giveUp(cycle, 'unknown');
    return answer.kind === 'paired' ? answer.request : answer.kind;
  }

  /** The message is not valid in the current cycle. */
  #mismatch(current: Cycle, message: PostgresqlAnswer, place: Place): boolean {
    const isExpected = this.#isHoled;
    const { start, acknowledged } = this.#begun;
    this.serverLost(place.start, place.end - place.start);
    current.answerHoled = true;
    const fragment = new Fragment(start, acknowledged, false);
    this.#fragment = fragment;
    fragment.add(message);
    if (message.type === 'Z') this.#finishFragment(fragment);
    return isExpected;
  }

  #finishFragment(fragment: Fragment): void {
    this.#fragment = undefined;
    this.#clean = true;
    this.#giveFragment(fragment);
    this.#doubt = undefined;
  }

  #giveFragment(fragment: Fragment): void {
    const { kind, request, passed } = this.#settleFragment(fragment);
    if (request === undefined) {
      this.#orphan(fragment, kind, passed);
      return;
    }
    const isWhole = fragment.clean || request.acknowledged === fragment.start;
    const { messages, overflow } = fragment;
    if (isWhole && !overflow && !request.answerHoled && request.accepts(messages)) {
      for (const message of messages) request.take(message, this);
    } else if (overflow || request.acceptsEnd(messages)) this.#partly(request, fragment, isWhole);
    else {
      this.#giveUp(request, 'response not captured');
      this.#orphan(fragment, 'request not seen', []);
    }
  }

  #settleFragment({ start, acknowledged }: Fragment) {
    const answer = this.#pairing.answer({ start, acknowledged });
    for (const cycle of answer.skipped) this.#giveUp(cycle, 'response not captured');
    for (const cycle of answer.unpaired) this.#giveUp(cycle, 'unknown');
    const request = answer.kind === 'paired' ? answer.request : undefined;
    this.#doubt = answer.kind === 'paired' && !answer.proven ? 'unknown' : undefined;
    const kind: Incomplete = answer.kind === 'unknown' ? 'unknown' : 'request not seen';
    return { kind, request, passed: answer.unpaired };
  }

  /** A cycle of whose answer the beginning or the middle is missing. */
  #partly(cycle: Cycle, fragment: Fragment, isWhole: boolean): void {
    const exchanges = cycle.steps.filter(isExchange);
    const [step = cycle.steps[0]] = exchanges;
    const { answered } = cycle;
    const error = answered.error ?? fragment.error;
    if (step === undefined || exchanges.length > 1 || cycle.holed || (exchanges.length === 0 && error === undefined)) {
      this.#giveUp(cycle, 'response not captured');
      if (error !== undefined) this.#orphan(fragment, 'unknown', []);
      return;
    }
    const time = answered.time ?? (isWhole ? fragment.time : undefined);
    const bytes = answered.bytes + fragment.bytes;
    const tag = error === undefined ? fragment.tag : '';
    const { errorEnd } = fragment;
    this.#emit(step, { time, bytes, error, errorEnd, tag, holed: true }, fragment.last, 'response not captured');
  }

  /** An answer without its request. */
  #orphan(fragment: Fragment, kind: Incomplete, passed: readonly Cycle[]): void {
    const { error, errorEnd, tag, time, bytes, last, clean } = fragment;
    if (error !== undefined && isFatal(error)) {
      this.#endedByServer(error, errorEnd);
      return;
    }
    if (error === undefined && !fragment.completed) return;
    // What could not be answered by these messages was not.
    const isUnseen = kind === 'unknown' && this.#pairing.size === 0 && passed.length > 0;
    const none = isUnseen && !fragment.overflow && !passed.some((cycle) => cycle.acceptsEnd(fragment.messages));
    const answered = { time: clean ? time : undefined, bytes, error, errorEnd, tag, holed: fragment.holed };
    this.#emit(undefined, answered, last, none ? 'request not seen' : kind);
  }

  #endedByServer(error: SqlError, time: number | undefined): void {
    const { now } = this.#context;
    this.#context.emit(endedByServer(error, time === undefined || Number.isNaN(time) ? now : time));
  }

  /** An answer that does not end. */
  #endFragment(fragment: Fragment, how: StreamEnd): void {
    this.#fragment = undefined;
    const { kind, request, passed } = this.#settleFragment(fragment);
    if (request === undefined) {
      this.#orphan(fragment, kind, passed);
      return;
    }
    const { error, errorEnd, time, bytes } = fragment;
    const isWhole = (fragment.clean || request.acknowledged === fragment.start) && !request.answerHoled;
    const isFollowed = isWhole && !fragment.overflow && request.accepts(fragment.messages);
    if (isFollowed) {
      for (const message of fragment.messages) request.take(message, this);
      this.#giveUp(request, how);
      this.#doubt = undefined;
      return;
    }
    if (error !== undefined) {
      request.answered = { time: isWhole ? time : undefined, bytes, error, errorEnd, tag: '', holed: fragment.holed };
    }
    this.#giveUp(request, 'response not captured');
    this.#doubt = undefined;
  }

  /** A cycle's answer will not come, or not to its end. @param why the reason; or how the connection ended */
  #giveUp(cycle: Cycle, why: Incomplete | StreamEnd): void {
    if (cycle === this.#open) this.#open = undefined;
    const [head] = cycle.steps;
    for (const step of cycle.steps) {
      const answered = step === head ? cycle.answered : nothingAnswered();
      const { error, errorEnd, time } = answered;
      if (!isExchange(step) && error === undefined) continue;
      const incomplete = isEnd(why) ? unfinished(why, time !== undefined) : why;
      // After its error only ReadyForQuery is missing, with which the answer ends; a fatal one has none.
      if (error !== undefined && isEnd(why))
        this.#emit(step, answered, isFatal(error) ? errorEnd : undefined, undefined);
      else this.#emit(step, answered, undefined, incomplete);
    }
  }

  #emit(step: Step | undefined, answered: Answered, last: number | undefined, why: Incomplete | undefined): void {
    const missing = why ?? (answered.holed ? 'response not captured' : undefined);
    const incomplete = answered.bytes === 0 ? missing : (this.#doubt ?? missing);
    const { now: near, showSecrets } = this.#context;
    const isEnded = incomplete === 'reset' || incomplete === 'closed early' || incomplete === 'no response';
    const endedBy = isEnded ? this.#endedBy : undefined;
    const { login } = this;
    this.#context.emit(statementExchange({ step, answered, last, incomplete, endedBy, login, near, showSecrets }));
  }
}

/** The server ends the connection with it. */
function isFatal({ severity }: SqlError): boolean {
  return severity === 'FATAL' || severity === 'PANIC';
}

const ENDS: ReadonlySet<string> = new Set<StreamEnd>(['closed', 'reset', 'capture ended', 'expired', 'evicted']);

function isEnd(why: Incomplete | StreamEnd): why is StreamEnd {
  return ENDS.has(why);
}
