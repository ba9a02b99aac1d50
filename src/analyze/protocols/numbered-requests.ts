import { PENDING_PER_STREAM } from '../limits.ts';
import type { Incomplete } from '../record/event.ts';

/** Requests of a connection that wait for their answers, which name them by number and come in order. Bounded. */
export class NumberedRequests<Request> {
  readonly #waiting = new Map<number, Request>();
  readonly #unanswered: (request: Request, why: Incomplete) => void;

  /** @param unanswered takes a request that will have no answer */
  constructor(unanswered: (request: Request, why: Incomplete) => void) {
    this.#unanswered = unanswered;
  }

  has(number: number): boolean {
    return this.#waiting.has(number);
  }

  /** A request was sent. One with the same number, and the oldest of too many, will have no answer. */
  wait(number: number, request: Request): void {
    this.#drop(number, 'no response');
    if (this.#waiting.size >= PENDING_PER_STREAM) {
      const [oldest] = this.#waiting.keys();
      if (oldest !== undefined) this.#drop(oldest, 'no response');
    }
    this.#waiting.set(number, request);
  }

  /** The request that is answered; answers to those before it are in what was not captured. */
  answered(number: number): Request | undefined {
    const request = this.#waiting.get(number);
    if (request === undefined) return undefined;
    for (const earlier of this.#waiting.keys()) {
      if (earlier === number) break;
      this.#drop(earlier, 'response not captured');
    }
    this.#waiting.delete(number);
    return request;
  }

  /** No further answer will come. */
  end(why: Incomplete): void {
    for (const number of this.#waiting.keys()) this.#drop(number, why);
  }

  #drop(number: number, why: Incomplete): void {
    const request = this.#waiting.get(number);
    if (request === undefined) return;
    this.#waiting.delete(number);
    this.#unanswered(request, why);
  }
}
