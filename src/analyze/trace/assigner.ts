import { TRACE_CALLS } from '../limits.ts';
import { type Call, isBelow } from './call.ts';
import type { Candidate, Candidates } from './candidates.ts';
import { isCertain, type Passage } from './passages.ts';
import { bestPassed } from './passed.ts';
import type { PlaceOrder } from './place-order.ts';
import type { Sidecars } from './sidecars.ts';

/** A call belongs to a request only where so much speaks for it, and so much more than for any other. */
const SCORE_KNOWN = 7;
const SCORE_SOLE = 4;
const LEAD = 4;

/** What is known of requests and places when a call is assigned. */
interface Known {
  /** Requests that were open, at the places that saw them. */
  readonly candidates: Candidates;
  readonly sidecars: Sidecars;
  readonly order: PlaceOrder;
  /** TLS connections that carry one request after the other. */
  readonly oneByOne: ReadonlySet<number>;
}

/**
 * Gives calls to the requests because of which they were made. A call belongs to a request when the place that saw both
 * proves it or makes it likely (likeness.ts); one that may belong to several is not given to any.
 */
export class Assigner {
  readonly #known: Known;
  readonly #apart: ((call: Call) => void) | undefined;
  /** Of requests of sidecars to their programs, until they are assigned: the connections that may have brought them. */
  readonly #passages = new Map<Call, readonly Passage[]>();

  /** @param apart gets each call that has ended and is taken from the request it had been given to */
  constructor(known: Known, apart: ((call: Call) => void) | undefined) {
    this.#known = known;
    this.#apart = apart;
  }

  /** Connections that may have brought the request of a sidecar to its program. */
  brought(call: Call, passages: readonly Passage[]): void {
    this.#passages.set(call, passages);
  }

  /** Find the request because of which a call was made. */
  assign(call: Call): void {
    // Of two that were open from one time to another each may seem to be the reason of the other.
    const found = this.#known.candidates.of(call).filter(({ outer }) => !isBelow(outer, call));
    const passages = this.#passages.get(call);
    this.#passages.delete(call);
    if (found.length === 0 && passages !== undefined) {
      this.#assignPassed(call, passages);
      return;
    }
    if (found.length === 0) return;
    call.isInner = true;
    found.sort((a, b) => b.score - a.score);
    const best = found[0] as Candidate;
    const lead = best.score - (found[1]?.score ?? 0);
    const isSole = found.length === 1;
    const isHttp = 'http' in best.outer.exchange.fields && 'http' in call.exchange.fields;
    const isProven = best.sameId && (isSole || lead >= LEAD);
    const isLikely = isSole
      ? !isHttp || best.score >= SCORE_SOLE || !best.passedOn
      : best.score >= SCORE_KNOWN && lead >= LEAD;
    if (isProven || (isLikely && !this.#isOwn(best))) {
      if (best.outer.children.length >= TRACE_CALLS) return;
      const { outer, at, inner, passedOn } = best;
      call.joinedTo = outer;
      outer.children.push({ call, confidence: isProven ? 'proven' : 'likely', passedOn, inner, outer: at });
      return;
    }
    // A connection that failed is reported in any case.
    if (call.connect !== undefined) call.isInner = false;
    for (const { outer } of found) outer.ambiguous += 1;
  }

  /** Whether a request's client is the pod that serves it, and not its sidecar: the pod makes calls for reasons of its own, too. */
  #isOwn({ outer: { vantages, exchange }, at }: Candidate): boolean {
    const { time } = exchange;
    if (!this.#known.sidecars.areNone) return false;
    if (at.clientHost === at.serverHost) return true;
    if (!this.#known.order.isAt(at, at.serverHost, time)) return false;
    return vantages.some(
      (each) => each.place >>> 16 === at.place >>> 16 && this.#known.order.isAt(each, each.clientHost, time),
    );
  }

  /** Find the request that two sidecars passed on to a program, through a connection whose content cannot be read. */
  #assignPassed(call: Call, passages: readonly Passage[]): void {
    const found = this.#known.candidates.passed(call, passages).filter(({ outer }) => !isBelow(outer, call));
    const best = bestPassed(found);
    if (best === undefined) {
      for (const { outer, score } of found) if (score >= SCORE_SOLE) outer.ambiguous += 1;
      return;
    }
    call.isInner = true;
    const { outer, passages: through, confidence } = best;
    call.joinedTo = outer;
    if (outer.passedTo !== undefined) this.#leaves(outer, outer.passedTo.call);
    const [sole, ...others] = through;
    const isKnown =
      sole !== undefined && others.length === 0 && isCertain(sole, best.at, this.#known.oneByOne.has(sole.flow));
    outer.passedTo = { call, confidence, between: isKnown ? [sole.outer, sole.inner] : [] };
  }

  /** A request was passed on twice: the first call stands apart. */
  #leaves(outer: Call, call: Call): void {
    outer.ambiguous += 1;
    call.joinedTo = undefined;
    if (call.isEnded) this.#apart?.(call);
  }
}
