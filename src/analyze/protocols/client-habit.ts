import type { StreamContext } from './protocol.ts';

/**
 * How sure it must be that a client waits for its answers before it sends on, as minus the natural logarithm of the chance to
 * be wrong; and what one wave of several requests adds that was followed by as many answers.
 */
const CERTAINTY = 9;
const ANSWERED_WAVE = 2.5;

/** How sure it must be where a single request proves something as well. */
const LIKELY = 6;

/** What a request adds that was sent after all before it had certainly been answered, while the client never sent several. */
const ANSWERED_REQUEST = LIKELY;

/** Requests that a client writes together follow each other within this time, ns. */
const TOGETHER_NS = 200_000;

/**
 * Whether the client of a connection waits for the answers to all its requests before it sends on. Then its next requests
 * show that all earlier ones had been answered, however many packets are missing.
 */
export class ClientHabit {
  readonly #context: Pick<StreamContext, 'now' | 'lateAnswers'>;
  #neverWaits = false;
  #sendsSeveral = false;
  #certainty = 0;
  /** Of all pauses: how many, how long, and how long the answers then took that ended them, ns. */
  #pauses = 0;
  #paused = 0;
  #answeredWithin = 0;
  /** By how much each pause differed from the mean of those before it, added up, ns. */
  #differed = 0;
  /** Of all waves of several requests after whose answers, certainly, the next one was sent. */
  #waits = 0;
  #awaited = 0;
  #waited = 0;
  #receivedBefore = Number.NaN;
  /** Requests of the wave under way and answers since it began; NaN after a hole. */
  #sent = Number.NaN;
  #received = 0;
  /** When the last answer came, and how long the client then paused before its next request; NaN where not known. */
  #answeredAt = Number.NaN;
  #sentAt = Number.NaN;
  /** When the last request was sent; NaN after a hole. */
  #requestedAt = Number.NaN;
  #pause = Number.NaN;
  /** Late packets of the server before the wave under way. */
  #lateBefore = 0;

  constructor(context: Pick<StreamContext, 'now' | 'lateAnswers'>) {
    this.#context = context;
  }

  get waits(): boolean {
    return !this.#neverWaits && this.#certain >= CERTAINTY;
  }

  /**
   * Enough where the request at hand was proven to be sent after the answer to those in a hole. Of a client that sends several
   * requests the hole may hold more than one, of which only the first was answered: then that proves nothing.
   */
  get likelyWaits(): boolean {
    return !this.#neverWaits && this.#certain >= (this.#sendsSeveral ? CERTAINTY : LIKELY);
  }

  /**
   * Enough where earlier requests, as many as the client may have under way, can still be unanswered. Pauses alone are not: the
   * answer to an earlier request comes soon after each request where the server takes about as long as the client's next
   * request is on its way. A request must have been sent when all before it had been answered.
   */
  get likelyWaitsInDoubt(): boolean {
    return this.#certainty > 0 && this.likelyWaits;
  }

  /**
   * A client that does not wait has a request with the server during its pauses, and none of them saw its answer: as likely as
   * that answers, which came at that rate afterwards, all left out the time of the pauses. Counted together: of single pauses
   * one whose answer came by chance right behind it would count as proof. A server that is always busy answers in a fixed rhythm,
   * and a client that keeps requests under way follows it: its pauses are all alike and show no more than one does, unless a
   * request was proven to be sent when all before it had been answered.
   */
  get #certain(): number {
    let certainty = this.#certainty;
    if (this.#pauses > 0) {
      const within = this.#answeredWithin;
      const more = this.#certainty > 0 ? this.#paused : Math.max(0, this.#differed - within);
      certainty += Math.log1p(this.#paused / within) + (this.#pauses - 1) * Math.log1p(more / within);
    }
    if (this.#waits > 0) certainty += this.#waits * Math.log1p(this.#awaited / this.#waited);
    return certainty;
  }

  /** Nothing was sent behind a request until its answer came: a client that does not wait would likely have. */
  mayHaveWaited(): void {
    if (!this.#sendsSeveral) this.#certainty = Math.max(this.#certainty, LIKELY);
  }

  /** A request, or the first of several, was sent; every one before it had been answered, which is certain. */
  waited(): void {
    if (!this.#sendsSeveral) this.#certainty += ANSWERED_REQUEST;
    else if (this.#isAnsweredLate) return;
    else if (this.#answeredAt > this.#sentAt) {
      this.#waits += 1;
      this.#awaited += this.#answeredAt - this.#sentAt;
      this.#waited += Math.max(0, this.#context.now - this.#answeredAt);
    }
  }

  /** A request was sent while one of an earlier wave was unanswered. */
  doesNotWait(): void {
    this.#neverWaits = true;
  }

  /** A request was sent before any byte more of the answers had come. */
  sendsSeveral(): void {
    if (this.#sendsSeveral) return;
    this.#sendsSeveral = true;
    this.#isUncertain();
  }

  /** Bytes are missing: what is counted and timed begins anew. */
  interrupted(): void {
    this.#sent = Number.NaN;
    this.#receivedBefore = Number.NaN;
    this.#answeredAt = Number.NaN;
    this.#requestedAt = Number.NaN;
    this.#pause = Number.NaN;
  }

  /** A request was sent. @param newWave it may be the first since an answer was received */
  sends(newWave: boolean): void {
    const { now } = this.#context;
    if (!newWave) {
      this.#sent += 1;
      this.#pause = Number.NaN;
      // It went on after a while without having received any more: what it sends does not depend on the answers.
      if (now - this.#requestedAt > TOGETHER_NS) this.doesNotWait();
      this.#requestedAt = now;
      return;
    }
    this.#requestedAt = now;
    const isAnswered = this.#sent === this.#received;
    const isShown = this.#sent > 1 && this.#receivedBefore !== this.#sent && !this.#isAnsweredLate;
    this.#lateBefore = this.#context.lateAnswers;
    if (isAnswered && isShown) this.#certainty += ANSWERED_WAVE;
    else if (!isAnswered && !Number.isNaN(this.#sent)) this.#isUncertain();
    this.#receivedBefore = this.#received;
    this.#sent = 1;
    this.#received = 0;
    this.#pause = now - this.#answeredAt;
    this.#sentAt = now;
  }

  /** A response came. @param mayAnswer whether it can be of a request that was seen */
  receives(mayAnswer: boolean): void {
    const { now } = this.#context;
    this.#received += 1;
    // A client that sends several requests at once pauses with some of them unanswered as well.
    if (mayAnswer && !this.#sendsSeveral && this.#received === 1) {
      const latency = now - this.#sentAt;
      if (this.#pause > 0 && latency > 0) {
        if (this.#pauses > 0) this.#differed += Math.abs(this.#pause - this.#paused / this.#pauses);
        this.#pauses += 1;
        this.#paused += this.#pause;
        this.#answeredWithin += latency;
      }
    }
    this.#pause = Number.NaN;
    this.#answeredAt = now;
  }

  /** Bytes of the wave's answers were sent again: the client received these answers at once, and whether it waited for all is not shown. */
  get #isAnsweredLate(): boolean {
    return this.#context.lateAnswers > this.#lateBefore;
  }

  #isUncertain(): void {
    this.#certainty = 0;
    this.#pauses = 0;
    this.#paused = 0;
    this.#answeredWithin = 0;
    this.#differed = 0;
    this.#waits = 0;
    this.#awaited = 0;
    this.#waited = 0;
  }
}
