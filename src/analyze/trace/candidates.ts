import type { Hosts } from '../identity/hosts.ts';
import { TRACE_CANDIDATES } from '../limits.ts';
import type { Call } from './call.ts';
import type { Likeness } from './likeness.ts';
import type { Passage } from './passages.ts';
import { likenessPassed, type PassedCandidate } from './passed.ts';
import { keyOf } from './roles.ts';
import { ServedCalls } from './served-calls.ts';
import { SIDECAR, type Sidecars } from './sidecars.ts';
import { turn, type Vantage } from './vantages.ts';

/** How long a request without a response may have made calls. ns */
const UNANSWERED_NS = 30e9;

/** A request because of which a call may have been made; both as the place saw them that saw both. */
export interface Candidate extends Likeness {
  readonly outer: Call;
  readonly at: Vantage;
  readonly inner: Vantage;
}

/** A request in ServedCalls. */
interface Filed {
  readonly key: number;
  readonly start: number;
  readonly end: number;
}

/** The requests that were taken at places, by when they were open: those because of which a call may have been made. */
export class Candidates {
  readonly #sidecars: Sidecars;
  readonly #hosts: Hosts;
  /** By place and who took the requests there. */
  readonly #served = new Map<number, ServedCalls>();
  /** Where requests are in #served: who took them may be known better later. */
  readonly #filed = new Map<Call, Filed[]>();

  constructor(sidecars: Sidecars, hosts: Hosts) {
    this.#sidecars = sidecars;
    this.#hosts = hosts;
  }

  /** A request was taken at a place. */
  add(call: Call, vantage: Vantage): void {
    const open = openTimes(call, vantage);
    if (open === undefined) return;
    const key = this.#key(call, vantage);
    let served = this.#served.get(key);
    if (served === undefined) {
      served = new ServedCalls();
      this.#served.set(key, served);
    }
    served.add(call, open.start, open.end);
    const filed = this.#filed.get(call);
    if (filed === undefined) this.#filed.set(call, [{ key, ...open }]);
    else filed.push({ key, ...open });
  }

  /** A request that is done is no candidate any more. */
  forget(call: Call): void {
    const filed = this.#filed.get(call);
    if (filed === undefined) return;
    for (const { key, start, end } of filed) {
      const served = this.#served.get(key);
      served?.remove(call, start, end);
      if (served?.isEmpty === true) this.#served.delete(key);
    }
    this.#filed.delete(call);
  }

  /** Requests that were open while a call was made, at its client's place: TRACE_CANDIDATES at most. */
  of(call: Call): Candidate[] {
    const found: Candidate[] = [];
    const isRedirected = call.flow.redirect !== undefined;
    for (const inner of call.vantages) {
      const servers = this.#sidecars.areNone ? [inner.clientHost] : this.#sidecars.clients(inner, isRedirected);
      for (const server of servers) this.#addOpen(found, call, inner, server);
    }
    return found;
  }

  /** @param server who took them, as Sidecars has it */
  #addOpen(found: Candidate[], call: Call, inner: Vantage, server: number): void {
    const key = keyOf(inner.place, server);
    const served = this.#served.get(key);
    const { requestStart, responseStart } = inner;
    if (served === undefined || requestStart === undefined) return;
    for (const outer of served.around(requestStart)) {
      if (found.length >= TRACE_CANDIDATES) return;
      if (outer === call || found.some((other) => other.outer === outer)) continue;
      const at = this.#vantageAt(outer, key, requestStart, responseStart ?? requestStart);
      if (at === undefined) continue;
      const like = this.#likeness(outer, at, call);
      // A sidecar passes requests on, and makes none for them.
      if (server !== SIDECAR || like.passedOn) found.push({ outer, at, inner, ...like });
    }
  }

  /** Requests of other pods that a connection between two sidecars may have brought to the server's program: TRACE_CANDIDATES at most. */
  passed(call: Call, passages: readonly Passage[]): (PassedCandidate & Likeness)[] {
    const found: (PassedCandidate & Likeness)[] = [];
    for (const passage of passages) {
      const { place, requestEnd, responseStart } = passage.outer;
      if (requestEnd === undefined || responseStart === undefined) continue;
      for (const server of [SIDECAR, passage.clientHost]) {
        const key = keyOf(place, server);
        for (const outer of this.#served.get(key)?.around(requestEnd) ?? []) {
          const at = outer === call ? undefined : this.#vantageAt(outer, key, requestEnd, responseStart);
          if (at === undefined || !isWithinTurn(at, call)) continue;
          const known = found.find((other) => other.outer === outer);
          const like = this.#likeness(outer, at, call);
          if (known !== undefined) known.passages.push(passage);
          else if (like.passedOn && found.length < TRACE_CANDIDATES)
            found.push({ outer, at, passages: [passage], ...like });
        }
      }
    }
    return found;
  }

  #likeness(outer: Call, at: Vantage, call: Call): Likeness {
    return likenessPassed(outer.exchange, call.exchange, this.#hosts.text(at.clientHost));
  }

  /** A request at the place of a key, where it was open from one time to another. */
  #vantageAt(outer: Call, key: number, from: number, to: number): Vantage | undefined {
    const at = outer.vantages.find((each) => this.#key(outer, each) === key);
    const open = at === undefined ? undefined : openTimes(outer, at);
    return open !== undefined && open.start <= from && to <= open.end ? at : undefined;
  }

  /** Who took a call at a place. */
  #key({ flow }: Call, vantage: Vantage): number {
    return keyOf(vantage.place, this.#sidecars.server(vantage, flow.redirect !== undefined));
  }
}

/**
 * When a request may have made calls, at a place; undefined where its beginning was not seen. Where its response passes other places
 * only, it was open no longer than at the one where it took longest: that one is nearer to the client.
 */
function openTimes({ vantages }: Call, { requestStart, responseStart, responseEnd }: Vantage) {
  if (requestStart === undefined) return undefined;
  const end = responseEnd ?? responseStart;
  if (end !== undefined) return { start: requestStart, end };
  let longest: number | undefined;
  for (const other of vantages) {
    if (other.requestStart === undefined || other.responseEnd === undefined) continue;
    longest = Math.max(longest ?? 0, other.responseEnd - other.requestStart);
  }
  return { start: requestStart, end: requestStart + (longest ?? UNANSWERED_NS) };
}

/** Whether a program can have answered a call while a sidecar had the request. Needs no agreement of clocks. */
function isWithinTurn(outer: Vantage, { vantages }: Call): boolean {
  const whole = turn(outer);
  const part = vantages[0] === undefined ? undefined : turn(vantages[0]);
  return whole === undefined || part === undefined || part <= whole;
}
