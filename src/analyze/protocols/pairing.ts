import { PENDING_PER_STREAM } from '../limits.ts';
import { ClientHabit } from './client-habit.ts';
import type { StreamContext } from './protocol.ts';
import { ShortQueue } from './short-queue.ts';

/** Where a request lies. Offsets and acknowledgments as StreamContext counts them. */
export interface RequestSpan {
  /**
   * Client offsets of the request's first byte and behind its last one. HTTP passes the end of the head: an early answer may
   * come then.
   */
  readonly start: number;
  readonly end: number;
  /** Server bytes that the packet with the request's first byte acknowledged; -1 where that is not known. */
  readonly acknowledged: number;
  /** The answer to an earlier request has begun and not ended: what the client receives next may be the rest of it. */
  readonly isAnswering?: boolean;
}

/** Where a response begins: server offset of its first byte, and the client bytes that its packet acknowledged; -1 unknown. */
export interface AnswerStart {
  readonly start: number;
  readonly acknowledged: number;
  /** Connections of this protocol begin without an exchange in which every client waits: one shows the client's habit. */
  readonly hasNoLogin?: boolean;
}

/** Requests that an answer settles, oldest first; they are pending no longer. */
interface Settled<R> {
  /** Their answers are proven to lie in what was not captured: 'response not captured'. */
  readonly skipped: readonly R[];
  /** They have answers, but the packets do not prove which: 'unknown'. */
  readonly unpaired: readonly R[];
}

/** What a response answers. */
export type Answer<R> =
  /** Without `proven` the pair is likely, but an earlier request that was not seen is possible as well: mark it 'unknown'. */
  | ({ readonly kind: 'paired'; readonly request: R; readonly proven: boolean } & Settled<R>)
  /** Its request was not captured, or was before the capture. */
  | ({ readonly kind: 'request not seen' } & Settled<R>)
  /** It may answer any of so many requests; those that were not seen count as one. */
  | ({ readonly kind: 'unknown'; readonly candidates: number } & Settled<R>);

const NONE: readonly never[] = [];

/** What a request takes that waits, about, besides its own text; and bytes of it that are kept at most, as of an HTTP head. */
const REQUEST_BYTES = 1024;
const REQUEST_TEXT_BYTES = 64 * 1024;

type PairingContext = Pick<
  StreamContext,
  'midstream' | 'now' | 'lateEnd' | 'lateAcknowledged' | 'lateAnswers' | 'isCrossing' | 'isCut' | 'countPending'
>;

interface Pending<R> extends RequestSpan {
  readonly request: R;
  /** Requests that were not seen may stand directly before it. */
  hole: boolean;
  /** An answer of kind 'unknown' may have been its answer. */
  doubtful: boolean;
  /** It was sent after more of the answers had been received than when the request before it was sent. */
  readonly newWave: boolean;
  /** It follows a hole and acknowledges more than the requests in the hole can have. */
  readonly followsHole: boolean;
  /**
   * Requests before it that were seen may be unanswered, or any number from before the capture: that it acknowledges more of
   * the answers does not show that it was sent after theirs.
   */
  readonly followsDoubt: boolean;
  /** All requests before it had been answered when it was sent, or at least their answers had begun: no other was pending. */
  readonly alone: boolean;
  /**
   * None was pending and no answer was under way when it was sent, which was seen: what the client received next was the
   * beginning of this one's.
   */
  readonly ownsNext: boolean;
}

/**
 * Pairs responses with requests where a response does not name its request but responses come in the order of requests. It
 * states a pair only when the packets prove it:
 *
 * - Hard constraints. A response that starts at server offset s in a packet that acknowledges A can answer request R only if
 *   R.end <= A (the server had received R) and R.acknowledged <= s (the client had not received byte s when it sent R).
 * - No hole: the response answers the oldest pending request if the constraints hold, else none that was seen.
 * - After a hole in the requests (an unknown number of them): what was pending before pairs as usual; a response that cannot
 *   be of those and starts before R.acknowledged of the first request after the hole is of a request not seen.
 * - After a hole in the responses (an unknown number of them): the candidates are the pending requests that the constraints
 *   allow. A single candidate is paired. With several the answer is 'unknown', and the oldest is settled: it was answered by
 *   this response or by an earlier one.
 * - Waves resynchronise. A wave is what a client sends without having received more of the responses: a serial client's waves
 *   are single requests. When a client that waits for its answers begins a wave, all earlier requests, seen or not, had been
 *   answered. That a client waits is shown by waves that began when, without any doubt, nothing was pending; by waves of
 *   several requests with as many answers; and by pauses. A client that does not wait has a request with the server during a
 *   pause: its answer would likely come within the pause and not, soon, after the next request. It is disproved by a wave
 *   that begins while a request is pending, or an answer that was sent before the wave had arrived.
 * - After a hole in the requests a request is known to begin a wave if it acknowledges more than the requests in the hole can
 *   have: more than the start of a response whose packet acknowledges the hole. A capture that begins in the middle of a
 *   connection begins with such a hole.
 * - A hole holds no more requests than the shortest ones that fit into it. When as many answers to requests not seen have come,
 *   none of them waits any more.
 *
 * Bounded: at most PENDING_PER_STREAM requests are kept, and of all connections at most PENDING_TOTAL_BYTES besides the oldest of
 * each; `push` returns the oldest of too many.
 */
export class Pairing<R> {
  readonly #queue = new ShortQueue<Pending<R>>();
  /** Requests that were not seen may stand behind the last pending one: where, and the most they can have acknowledged. */
  #tailHole: boolean;
  #holeStart = -1;
  #holeEnd = 0;
  #holeBound = Number.POSITIVE_INFINITY;
  /** Answers to requests in that hole that have come. */
  #answeredUnseen = 0;
  /** Client offset behind the last request pushed, and whether the hole begins there: else a request may have begun before it. */
  #lastEnd: number;
  #holeIsBetween = false;
  /** Some of it was cut off from packets of which the beginning was captured: what they hold besides was sent with that. */
  #holeIsCut = false;
  /** They were seen, but are pending no longer. */
  #inDoubt = false;
  /** Server offset at which the last response began; -1 before any. */
  #lastAnswer = -1;
  /** Server offset behind the last bytes that were not captured; 0 without. */
  #lostEnd = 0;
  readonly #client: ClientHabit;
  /** Requests without an answer, at least; minus infinity after a hole in the responses. */
  #unanswered = 0;
  /** The acknowledgment of the last request pushed; -1 where a hole follows it, or it is not known. */
  #lastAcknowledged = -1;
  /** That of the last request before the hole. */
  #acknowledgedBefore = -1;

  readonly #shortest: number;
  readonly #context: PairingContext;

  /**
   * @param context of the stream whose requests and responses these are: `push` and `answer` are called at their times
   * @param shortest bytes of the shortest request there is
   */
  constructor(context: PairingContext, shortest = 1) {
    this.#context = context;
    this.#shortest = shortest;
    this.#lastEnd = context.midstream ? -1 : 0;
    this.#tailHole = context.midstream;
    this.#client = new ClientHabit(context);
  }

  /** Requests pending. */
  get size(): number {
    return this.#queue.length;
  }

  /** The oldest pending request. */
  get first(): R | undefined {
    return this.#queue.first?.request;
  }

  /** Bytes of the server that the oldest pending request acknowledged; -1 where that is not known or none is pending. */
  get firstAcknowledged(): number {
    return this.#queue.first?.acknowledged ?? -1;
  }

  /** The last request pushed, while it is pending. */
  get last(): R | undefined {
    return this.#queue.last?.request;
  }

  /** Whether the next answer is the oldest pending request's, or belongs to none: there is no hole between them. */
  get inStep(): boolean {
    const { first } = this.#queue;
    return first === undefined ? !this.#tailHole : this.#isSure(first);
  }

  /**
   * A request that awaits an answer was sent. One with bytes missing is pushed as well: after `clientGap`, with `end` behind
   * the gap where its end was not seen.
   * @returns the oldest request where there are too many: it is pending no longer, and ends as 'unknown'
   */
  push(request: R, { start, end, acknowledged, isAnswering = false }: RequestSpan): R | undefined {
    const queue = this.#queue;
    const afterHole = this.#tailHole && start >= this.#holeStart;
    const mayHideRequests = afterHole && !this.#isEmptied(start);
    // A request of which the end is in the hole was sent before it.
    const last = this.#tailHole ? this.#acknowledgedBefore : this.#lastAcknowledged;
    const newWave = acknowledged > (afterHole ? this.#holeBound : last);
    // Of bytes that were sent again it is not known what had been received when they were sent first.
    const { lateEnd, isCrossing, lateAcknowledged } = this.#context;
    const isLate = start < lateEnd;
    if (!afterHole && !isLate && this.#lastAcknowledged >= 0 && acknowledged >= 0) this.#follows(newWave);
    // It was sent before the answer to an earlier request, which is here already, had reached the client.
    const overtakes = acknowledged >= 0 && acknowledged <= this.#lastAnswer;
    if (!this.#tailHole && queue.length === 0) this.#unanswered = 0;
    // What lies between two requests is a request at least.
    if (afterHole && this.#holeIsBetween && this.#holeEnd === start && this.#holeEnd > this.#holeStart)
      this.#unanswered += 1;
    if (newWave && (overtakes || isCrossing || this.#unanswered > 0)) this.#client.doesNotWait();
    this.#unanswered += 1;
    const isKnown = !this.#tailHole && !overtakes && !isLate;
    // What was received since the one request before it was the beginning of that one's answer.
    const alone = isKnown && (queue.length === 0 || (newWave && (queue.last as Pending<R>).ownsNext));
    // Bytes that were not captured directly before what the client had received may end within an answer; and so may what it
    // had received since a request whose answer was not captured.
    const lost = this.#lostEnd;
    const ownsNext = isKnown && queue.length === 0 && !isAnswering && (lost === 0 || lost < acknowledged);
    if (isLate) this.#client.interrupted();
    else this.#client.sends(newWave || queue.length === 0);
    this.#lastEnd = end;
    queue.push({
      request,
      start,
      end,
      acknowledged,
      newWave,
      followsHole: afterHole && newWave,
      followsDoubt: this.#inDoubt || this.#holeStart < 0,
      alone,
      ownsNext,
      hole: mayHideRequests,
      doubtful: false,
    });
    if (afterHole) {
      this.#tailHole = false;
      this.#inDoubt = false;
    }
    this.#lastAcknowledged = this.#tailHole ? -1 : Math.max(acknowledged, lateAcknowledged);
    if (queue.length === 1) return undefined;
    const isWithin = this.#context.countPending?.(bytesOf(start, end)) ?? true;
    if (isWithin && queue.length <= PENDING_PER_STREAM) return undefined;
    const dropped = this.#shift();
    // Its answer will come all the same.
    (queue.first as Pending<R>).hole = true;
    return dropped;
  }

  /** Client bytes were not captured that may hold the beginning or end of requests: not those within a body of known length. */
  clientGap(offset: number, length: number): void {
    this.#client.interrupted();
    // More was sent while an answer was awaited.
    if (this.#queue.length > 0 && this.inStep) this.#client.sendsSeveral();
    if (!this.#tailHole) {
      this.#holeStart = offset;
      this.#answeredUnseen = 0;
      this.#holeIsBetween = offset === this.#lastEnd;
      this.#holeIsCut = false;
      this.#acknowledgedBefore = this.#lastAcknowledged;
    }
    // A hole that grows holds later requests too.
    this.#holeBound = Number.POSITIVE_INFINITY;
    this.#holeEnd = offset + length;
    if (this.#context.isCut) this.#holeIsCut = true;
    this.#tailHole = true;
    this.#lastAcknowledged = -1;
  }

  /** Server bytes were not captured that may hold the beginning of responses: not those within a body of known length. */
  serverGap(offset: number, length: number): void {
    this.#client.interrupted();
    this.#lostEnd = offset + length;
    this.#unanswered = Number.NEGATIVE_INFINITY;
  }

  /** Which request does a response answer? Called when it begins or when it is complete, with where it began. */
  answer({ start, acknowledged, hasNoLogin = false }: AnswerStart): Answer<R> {
    const queue = this.#queue;
    this.#lastAnswer = start;
    this.#unanswered -= 1;
    if (this.#tailHole && acknowledged >= this.#holeEnd) this.#holeBound = Math.min(this.#holeBound, start);
    if (this.inStep && queue.length > 0 && mayAnswer(queue.first as Pending<R>, start, acknowledged)) {
      this.#client.receives(true);
      // Nothing was sent behind the request, or what was not captured of it, until its answer came.
      const sent = this.#tailHole ? this.#holeEnd : (queue.first as Pending<R>).end;
      const mayHideOthers = this.#tailHole && this.#holeIsCut;
      if (hasNoLogin && queue.length === 1 && acknowledged === sent && !mayHideOthers) this.#client.mayHaveWaited();
      return { kind: 'paired', request: this.#shift(), proven: true, skipped: NONE, unpaired: NONE };
    }
    const skipped: R[] = [];
    const unpaired: R[] = [];
    this.#settleBefore(start, acknowledged, skipped, unpaired);
    const { first } = queue;
    let candidates = 0;
    while (candidates < queue.length && mayAnswer(queue.at(candidates) as Pending<R>, start, acknowledged))
      candidates += 1;
    this.#client.receives(candidates > 0);
    if (first === undefined && this.#inDoubt) return { kind: 'unknown', candidates: 1, skipped, unpaired };
    if (first === undefined || candidates === 0) {
      if (first === undefined && this.#tailHole && acknowledged >= this.#holeEnd) this.#answeredUnseen += 1;
      return { kind: 'request not seen', skipped, unpaired };
    }
    const proven = this.#isSure(first) || (candidates === 1 && !this.#unseenWithin(1));
    if (proven) return { kind: 'paired', request: this.#shift(), proven, skipped, unpaired };
    for (let index = 1; index < candidates; index += 1) (queue.at(index) as Pending<R>).doubtful = true;
    if (!first.hole) {
      // The oldest was answered by this response or by an earlier one.
      unpaired.push(this.#shift());
      return {
        kind: 'unknown',
        candidates: candidates + (this.#unseenWithin(candidates - 1) ? 1 : 0),
        skipped,
        unpaired,
      };
    }
    const isAlone = queue.length === 1 && (first.newWave || this.#holeStart < 0);
    const { start: from, acknowledged: received } = first;
    const request = this.#shift();
    this.#standInDoubt(from, received);
    if (isAlone) return { kind: 'paired', request, proven, skipped, unpaired };
    unpaired.push(request);
    return { kind: 'unknown', candidates: candidates + 1, skipped, unpaired };
  }

  /** A request was taken out that may still be unanswered: it is now like one that was not seen. */
  #standInDoubt(start: number, acknowledged: number): void {
    const { first: next } = this.#queue;
    if (next !== undefined) {
      next.hole = true;
      return;
    }
    this.#inDoubt = true;
    if (this.#tailHole) return;
    this.#tailHole = true;
    this.#holeStart = start;
    this.#holeEnd = start;
    this.#holeBound = acknowledged;
    this.#lastAcknowledged = -1;
  }

  /** Requests that an answer of kind 'unknown' may have answered; they are pending no longer. To be called before `rest`. */
  doubtful(): R[] {
    const queue = this.#queue;
    let count = 0;
    while (queue.at(count)?.doubtful === true) count += 1;
    return this.#take(count);
  }

  /** All requests that wait, oldest first; none is pending any more. */
  rest(): R[] {
    return this.#take(this.#queue.length);
  }

  /** The protocol knows by other means that no earlier request awaits an answer. @returns those that were pending */
  resynchronise(): R[] {
    this.#lostEnd = 0;
    this.#tailHole = false;
    this.#inDoubt = false;
    this.#lastAcknowledged = -1;
    this.#unanswered = 0;
    return this.rest();
  }

  /** Whether all requests that the hole before `start` can hold have been answered. */
  #isEmptied(start: number): boolean {
    if (this.#inDoubt || this.#holeStart < 0 || this.#answeredUnseen === 0) return false;
    // An answer that was not captured was none of those that were counted.
    if (this.#lostEnd > 0) return false;
    const begunBefore = this.#holeIsBetween ? 0 : 1;
    return Math.floor((start - this.#holeStart) / this.#shortest) + begunBefore <= this.#answeredUnseen;
  }

  #isSure(request: Pending<R>): boolean {
    return !request.hole && !request.doubtful && this.#lostEnd <= Math.max(0, request.acknowledged);
  }

  /** Whether requests that were not seen may stand before, among or directly behind the first `count`. */
  #unseenWithin(count: number): boolean {
    const queue = this.#queue;
    for (let index = 0; index <= count && index < queue.length; index += 1) {
      if ((queue.at(index) as Pending<R>).hole) return true;
    }
    return count === queue.length && this.#tailHole;
  }

  /** A request directly behind the last one was sent: what that shows of the client. */
  #follows(newWave: boolean): void {
    if (!newWave) this.#client.sendsSeveral();
    else if (this.#queue.length > 0 && this.inStep) this.#client.doesNotWait();
    else if (this.#queue.length === 0 && this.#lostEnd <= this.#lastAcknowledged) this.#client.waited();
  }

  /** Takes out the oldest request: the one behind it is the oldest now, and waits behind none. */
  #shift(): R {
    return this.#shiftPending().request;
  }

  #shiftPending(): Pending<R> {
    const queue = this.#queue;
    const oldest = queue.shift() as Pending<R>;
    const { first } = queue;
    if (first !== undefined) this.#context.countPending?.(-bytesOf(first.start, first.end));
    return oldest;
  }

  #take(count: number): R[] {
    const taken: R[] = [];
    while (taken.length < count) taken.push(this.#shift());
    return taken;
  }

  /** Settle what had been answered when the last wave began that the response at `start` can belong to. */
  #settleBefore(start: number, acknowledged: number, skipped: R[], unpaired: R[]): void {
    if (this.inStep) return;
    const { waits, likelyWaits, likelyWaitsInDoubt } = this.#client;
    const queue = this.#queue;
    let wave = queue.length - 1;
    while (wave >= 0) {
      const { newWave, followsHole, followsDoubt, alone, acknowledged: received } = queue.at(wave) as Pending<R>;
      const isLikely = followsDoubt ? likelyWaitsInDoubt : likelyWaits;
      if ((alone || (newWave && waits) || (followsHole && isLikely)) && received <= start) break;
      wave -= 1;
    }
    const begun = wave < 0 ? undefined : queue.at(wave);
    if (begun === undefined) return;
    if (acknowledged >= 0 && acknowledged < begun.end) {
      // The response was sent before the wave had arrived: the client did not wait.
      this.#client.doesNotWait();
      return;
    }
    while (queue.first !== begun) {
      const { request, doubtful } = this.#shiftPending();
      (doubtful ? unpaired : skipped).push(request);
    }
    begun.hole = false;
  }
}

/** What a request takes, about. @param start @param end where it lies */
function bytesOf(start: number, end: number): number {
  return REQUEST_BYTES + Math.min(end - start, REQUEST_TEXT_BYTES);
}

/** The hard constraints. */
function mayAnswer(request: RequestSpan, start: number, acknowledged: number): boolean {
  return request.acknowledged <= start && (acknowledged < 0 || request.end <= acknowledged);
}
