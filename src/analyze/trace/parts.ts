import { TRACE_DEPTH } from '../limits.ts';
import type { Call, Child, Confidence } from './call.ts';
import { turn, type Vantage } from './vantages.ts';

/**
 * What a part of the time went to: `request` sending the request, `network` between two places, both ways together, `mesh` two
 * sidecars and the network between them, `proxy` passing a request on, `server` making the response, `beyond` all that is behind the last place that saw it, `calls` several calls
 * at once, `attempt` a call without a response, `response` receiving the response.
 */
export type PartKind =
  | 'request'
  | 'network'
  | 'mesh'
  | 'proxy'
  | 'server'
  | 'beyond'
  | 'calls'
  | 'attempt'
  | 'response';

/** What is known of places, for partsOf. */
export interface PlaceFacts {
  /** Whether a place is at the call's server itself. */
  isServer(call: Call, at: Vantage): boolean;
  /** Whether all packets of the call's connection that passed a place were captured there, as far as that is known. */
  isComplete(at: Vantage): boolean;
}

/** Segments of a request or response that were sent more often than they arrived. */
export interface Lost {
  readonly count: number;
  readonly of: 'request' | 'response';
  /** Until it was retransmitted, ns. */
  readonly after: number;
}

/** A part of a request's time. Parts follow one another and add up to the total. */
export interface Part {
  readonly kind: PartKind;
  /** The call that it is a part of, and how deep that is: 0 for the client's own request. */
  readonly call: Call;
  readonly depth: number;
  /** ns, not negative */
  readonly duration: number;
  /** Where it was measured; `to` of a network part alone. */
  readonly at: Vantage;
  readonly to: Vantage | undefined;
  readonly lost: readonly Lost[];
  readonly confidence: Confidence;
  /** Calls in a part of kind `calls`. */
  readonly count: number;
}

/**
 * The parts of a call's time, from its client's place on: they add up to exactly the time from the request's first byte to the
 * response's last one there. Needs no agreement of clocks: each place measures by its own.
 * @returns undefined where the response, or its time, was not seen
 */
export function partsOf(call: Call, facts: PlaceFacts): Part[] | undefined {
  return split({ call, facts, depth: 0, confidence: 'proven', until: undefined });
}

interface Split {
  readonly call: Call;
  readonly facts: PlaceFacts;
  readonly depth: number;
  readonly confidence: Confidence;
  /** Only until then by the clock of the first place: the rest of the response overlaps with its being passed on. */
  readonly until: number | undefined;
}

function split(whole: Split): Part[] | undefined {
  const { call, facts, depth, confidence, until } = whole;
  const { passedTo } = call;
  const chain = chainOf(
    passedTo === undefined ? call.vantages : [...call.vantages, ...passedTo.between, ...passedTo.call.vantages],
  );
  const outer = chain[0];
  const inner = chain[chain.length - 1];
  if (outer === undefined || inner === undefined) return undefined;
  const { requestStart, requestEnd, responseStart } = outer;
  const responseEnd = until ?? outer.responseEnd;
  if (requestStart === undefined || requestEnd === undefined || requestEnd < requestStart) return undefined;
  if (responseStart === undefined || responseEnd === undefined || responseEnd < responseStart) return undefined;
  const parts: Part[] = [plain(whole, 'request', requestEnd - requestStart, outer)];
  for (let index = 1; index < chain.length; index += 1) {
    const at = chain[index - 1] as Vantage;
    const to = chain[index] as Vantage;
    const duration = (turn(at) as number) - (turn(to) as number);
    const isInPod = passedTo !== undefined && at.place >>> 16 === to.place >>> 16;
    // Between its program and itself a sidecar has the request; the connection between two sidecars is another one.
    if (isInPod) parts.push(plain(whole, 'proxy', duration, at));
    else {
      const isOne = passedTo === undefined || isBetween(at, to, passedTo.between) || isBetween(at, to, call.vantages);
      const kind = isOne ? 'network' : 'mesh';
      const lost = isOne ? lostBetween(at, to, facts) : NONE_LOST;
      parts.push({ kind, call, depth, duration, at, to, lost, confidence, count: 0 });
    }
  }
  const last = passedTo?.call.vantages.includes(inner) === true ? passedTo.call : call;
  const isSure = last === call || passedTo?.confidence === 'proven';
  const behind = last === call ? whole : { ...whole, call: last, confidence: isSure ? confidence : 'likely' };
  if (facts.isServer(last, inner)) addServed(parts, behind, inner);
  else parts.push(plain(whole, 'beyond', turn(inner) as number, inner));
  parts.push(plain(whole, 'response', responseEnd - responseStart, outer));
  return parts;
}

const NONE_LOST: readonly Lost[] = [];

/** A part of a call that was measured at one place. All parts have the same members in the same order: they are made for every request. */
function plain({ call, depth, confidence }: Split, kind: PartKind, duration: number, at: Vantage): Part {
  return { kind, call, depth, duration, at, to: undefined, lost: NONE_LOST, confidence, count: 0 };
}

function isBetween(at: Vantage, to: Vantage, vantages: readonly Vantage[]): boolean {
  return vantages.includes(at) && vantages.includes(to);
}

/** The places by which time can be split: those that saw request and response, each with less time behind it than the one before. */
function chainOf(vantages: readonly Vantage[]): readonly Vantage[] {
  let chain: Vantage[] | undefined;
  let last = Number.POSITIVE_INFINITY;
  for (let index = 0; index < vantages.length; index += 1) {
    const vantage = vantages[index] as Vantage;
    const own = turn(vantage);
    if (own === undefined || own > last) {
      // Mostly all of them belong to it.
      chain ??= vantages.slice(0, index);
      continue;
    }
    chain?.push(vantage);
    last = own;
  }
  return chain ?? vantages;
}

/** The time at the server: its own, and the calls it made. */
function addServed(parts: Part[], of: Split, inner: Vantage): void {
  const { call, facts, depth, confidence } = of;
  const begin = inner.requestEnd as number;
  const end = inner.responseStart as number;
  if (call.children.length === 0) {
    parts.push(plain(of, 'server', end - begin, inner));
    return;
  }
  const children = call.children
    .filter(({ inner: at }) => (at.requestStart ?? Number.POSITIVE_INFINITY) < end)
    .sort((a, b) => (a.inner.requestStart as number) - (b.inner.requestStart as number));
  const own = children.some(({ passedOn }) => passedOn) ? 'proxy' : 'server';
  let cursor = begin;
  for (let index = 0; index < children.length; ) {
    const group = groupAt(children, index, end);
    index += group.length;
    const first = group[0] as Child;
    const from = Math.min(end, Math.max(cursor, first.inner.requestStart as number));
    const to = Math.max(from, Math.min(end, Math.max(...group.map((child) => endAt(child, children, end)))));
    if (to === from) continue;
    parts.push(plain(of, own, from - cursor, inner));
    if (group.length > 1) {
      const [lost, count, duration] = [NONE_LOST, group.length, to - from];
      parts.push({ kind: 'calls', call, depth, duration, at: inner, to: undefined, lost, confidence, count });
    } else parts.push(...within(first, from, to, { facts, depth: depth + 1 }));
    cursor = to;
  }
  parts.push(plain(of, own, end - cursor, inner));
}

/** The calls from one on that overlap. */
function groupAt(children: readonly Child[], from: number, end: number): Child[] {
  const group = [children[from] as Child];
  let until = endAt(group[0] as Child, children, end);
  for (let index = from + 1; index < children.length; index += 1) {
    const next = children[index] as Child;
    if ((next.inner.requestStart as number) >= until) break;
    group.push(next);
    until = Math.max(until, endAt(next, children, end));
  }
  return group;
}

/** When a call was over: its response's last byte; without one when the next began. */
function endAt(child: Child, children: readonly Child[], end: number): number {
  const { responseEnd, responseStart, requestStart } = child.inner;
  const over = responseEnd ?? responseStart;
  if (over !== undefined) return over;
  const next = children.find(({ inner }) => (inner.requestStart as number) > (requestStart as number));
  return next?.inner.requestStart ?? end;
}

/** One call that took all of a time at its client. */
function within(child: Child, from: number, to: number, { facts, depth }: Pick<Split, 'facts' | 'depth'>): Part[] {
  const { call, confidence, inner } = child;
  const { requestStart, responseStart, responseEnd } = inner;
  const of = { call, facts, depth, confidence, until: to };
  if (responseStart === undefined) return [plain(of, 'attempt', to - from, inner)];
  const isWhole = requestStart === from && responseStart <= to && (responseEnd ?? responseStart) >= to;
  if (isWhole && depth < TRACE_DEPTH && chainOf(call.vantages)[0]?.place === inner.place) {
    const parts = split(of);
    if (parts !== undefined) return parts;
  }
  return [plain(of, 'beyond', to - from, inner)];
}

/**
 * Segments that left one place more often than they came to the next one. Where the capture at their destination missed packets
 * it may have missed these too: then none is called lost.
 */
function lostBetween(outer: Vantage, inner: Vantage, { isComplete }: PlaceFacts): readonly Lost[] {
  const request = outer.requestAgain.count - inner.requestAgain.count;
  const response = inner.responseAgain.count - outer.responseAgain.count;
  if (request <= 0 && response <= 0) return NONE_LOST;
  const lost: Lost[] = [];
  if (request > 0 && inner.requestEnd !== undefined && isComplete(inner)) {
    lost.push({ count: request, of: 'request', after: outer.requestAgain.after });
  }
  if (response > 0 && outer.responseEnd !== undefined && isComplete(outer)) {
    lost.push({ count: response, of: 'response', after: inner.responseAgain.after });
  }
  return lost;
}
