import type { AlikeTaker } from '../flow/alike.ts';
import type { FlowFacts, FlowIdentity, FlowInfo, OtherLeg } from '../flow/flow-facts.ts';
import type { RepeatedConnections } from '../flow/repeated-connections.ts';
import type { AnalysisEvent, Exchange } from '../record/event.ts';
import type { RepeatedExchanges } from '../record/repeated-exchanges.ts';
import { FindingBounds } from './cases.ts';
import { type Detector, type DetectorKind, type FindingContext, isOfRequests, serverOf } from './detector.ts';
import { type Evidence, type Finding, ofSample, severityRank } from './finding.ts';
import { FlowEnds } from './flow-ends.ts';
import { DETECTORS } from './index.ts';
import { isNotableEvent, isNotableFlow } from './notable.ts';
import { Tallies } from './tallies.ts';

interface Running {
  readonly kind: DetectorKind;
  readonly detector: Detector;
}

/** Who gets the exchanges of one protocol. */
interface Takers {
  readonly all: readonly Detector[];
  readonly ofPods: readonly Detector[];
  readonly notable: readonly Detector[];
}

/**
 * Runs all detectors over what an analysis finds. Nearly all of it is in order: that is counted once for all of them, and only
 * the detectors that compare what is in order get it too.
 */
export class Findings {
  readonly #context: FindingContext;
  readonly #detectors: readonly Running[];
  readonly #ofFlows: readonly Detector[];
  readonly #ofNamedFlows: readonly Detector[];
  readonly #takers = new Map<string, Takers>();
  #lastProtocol = '';
  #lastTakers: Takers | undefined;
  readonly #bounds = new FindingBounds();
  readonly #tallies: Tallies;
  readonly #ends: FlowEnds;

  constructor(context: FindingContext, kinds: readonly DetectorKind[] = DETECTORS) {
    this.#context = context;
    const bounds = this.#bounds;
    const tallies = new Tallies(context, bounds);
    this.#tallies = tallies;
    this.#ends = new FlowEnds(context.hosts);
    this.#detectors = kinds.map((kind) => ({ kind, detector: kind.create({ ...context, bounds, tallies }) }));
    const ofFlows = this.#detectors.filter(({ detector }) => detector.flowEnded !== undefined);
    const areNamed = ({ kind }: Running) => kind.flows === 'named';
    this.#ofNamedFlows = ofFlows.filter(areNamed).map(({ detector }) => detector);
    this.#ofFlows = ofFlows.filter((running) => !areNamed(running)).map(({ detector }) => detector);
  }

  event(event: AnalysisEvent, flow: FlowIdentity): void {
    // A connection is looked at once: where it was seen first. One that did not come up is at each of its places.
    if (flow.sameAs !== undefined && flow.sameAs.unopened !== true) {
      if (event.kind !== 'exchange') return;
      for (const [detector, server] of this.#takersBehind(event, flow, flow.sameAs))
        detector.event?.(event, flow, server);
      return;
    }
    const tally = this.#tallies.event(event, flow);
    if (tally === undefined) return;
    this.#ends.add(flow);
    const takers = this.#takersFor(event.protocol);
    if (event.kind === 'exchange') {
      for (const detector of takers.all) detector.event?.(event, flow, tally.subject);
      if (takers.ofPods.length > 0 && this.#isOfPod(event, flow)) {
        for (const detector of takers.ofPods) detector.event?.(event, flow, tally.subject);
      }
    }
    if (isNotableEvent(event)) {
      this.#tallies.trouble(flow.id);
      for (const detector of takers.notable) detector.event?.(event, flow, tally.subject);
      if (event.kind === 'event') for (const detector of takers.all) detector.event?.(event, flow, tally.subject);
    }
    if (event.kind === 'exchange' && event.incomplete === undefined)
      this.#tallies.exchangeEnded(flow.id, event.time, event.responseEnd ?? event.time, isOfRequests(event.protocol));
  }

  /** As `event`, of exchanges that an analysis beside an agent has added up: none of them is out of the ordinary. */
  repeated(repeated: RepeatedExchanges, flow: FlowIdentity): void {
    const { exchange, count } = repeated;
    if (flow.sameAs !== undefined && flow.sameAs.unopened !== true) {
      for (const [detector, server] of this.#takersBehind(exchange, flow, flow.sameAs))
        detector.repeated?.(repeated, flow, server);
      return;
    }
    const tally = this.#tallies.event(exchange, flow, count);
    if (tally === undefined) return;
    this.#ends.add(flow);
    const takers = this.#takersFor(exchange.protocol);
    for (const detector of takers.all) detector.repeated?.(repeated, flow, tally.subject);
    if (takers.ofPods.length > 0 && this.#isOfPod(exchange, flow)) {
      for (const detector of takers.ofPods) detector.repeated?.(repeated, flow, tally.subject);
    }
    const { time, responseEnd = time, protocol } = exchange;
    this.#tallies.exchangeEnded(flow.id, time, responseEnd, isOfRequests(protocol));
  }

  /**
   * What takes further exchanges of UDP flows that are as one that `event` got; undefined where each of them matters. Their events must be
   * handed over in order: what waits comes before any other event of the same protocol.
   */
  takerOf(event: Exchange, flow: FlowIdentity): AlikeTaker | undefined {
    if (flow.sameAs !== undefined || event.protocol !== 'dns' || isNotableEvent(event)) return undefined;
    const tally = this.#tallies.ofServer(event, flow);
    // There are too many servers: no detector gets these.
    if (tally === undefined) return { counted: () => {} };
    const { all, ofPods } = this.#takersFor(event.protocol);
    if (ofPods.length > 0) return undefined;
    const takers: AlikeTaker[] = [];
    for (const detector of all) {
      const taker = detector.alike?.(event, flow, tally.subject);
      if (taker === undefined) return undefined;
      takers.push(taker);
    }
    const [lastOfFlow, ...others] = takers.flatMap((taker) =>
      taker.lastOfFlow === undefined ? [] : [taker.lastOfFlow],
    );
    if (others.length > 0) return undefined;
    return {
      ...(lastOfFlow === undefined ? {} : { lastOfFlow }),
      counted: (sums) => {
        tally.exchanges += sums.count;
        for (const taker of takers) taker.counted(sums);
      },
    };
  }

  /** The last exchange of a flow of those that were added up: as what takes these gets it (AlikeTaker). */
  lastOfFlow(exchange: Exchange, flow: FlowIdentity): void {
    const { time, responseEnd } = exchange;
    if (responseEnd !== undefined) this.takerOf(exchange, flow)?.lastOfFlow?.(flow.id, time, responseEnd - time);
  }

  flowEnded(flow: FlowInfo): void {
    if (isJudged(flow)) this.factsEnded(flow.facts());
  }

  /** As flowEnded, with the facts at hand. */
  factsEnded(facts: FlowFacts): void {
    if (!isJudged(facts)) return;
    if (this.#tallies.flow(facts) === undefined) return;
    this.#ends.add(facts);
    const { names } = this.#context;
    const isNamed = names.ofHost(facts.serverHost, facts.first, facts.interfaceId) !== undefined;
    const isNotable = isNotableFlow(facts) || this.#tallies.isTroubled(facts.id);
    if (isNamed || isNotable) for (const detector of this.#ofNamedFlows) detector.flowEnded?.(facts);
    if (isNotable) for (const detector of this.#ofFlows) detector.flowEnded?.(facts);
    this.#tallies.forget(facts.id);
  }

  /** As flowEnded, of connections in order that an analysis beside an agent has added up. */
  connectionsEnded({ opened, clientPorts }: RepeatedConnections, flow: FlowInfo): void {
    const facts = flow.facts();
    for (const { detector } of this.#detectors) detector.connectionsEnded?.(opened.count, flow, facts.first);
    if (!isJudged(flow)) return;
    if (this.#tallies.flow(facts, opened.count) === undefined) return;
    this.#ends.add(facts);
    const { names } = this.#context;
    if (names.ofHost(facts.serverHost, facts.first, facts.interfaceId) !== undefined) {
      // They compare single connections, by their ports.
      for (const clientPort of clientPorts)
        for (const detector of this.#ofNamedFlows) detector.flowEnded?.({ ...facts, clientPort });
    }
    this.#tallies.forget(facts.id);
  }

  /** Some servers or clients had no room in a detector's table: there may be more findings. */
  get areIncomplete(): boolean {
    return this.#bounds.areReached;
  }

  /** What was found until now: the worst first, then what happened most; without what another finding explains. */
  list(): Finding[] {
    const all = this.#detectors.flatMap(({ detector }) => detector.findings());
    const explained = new Set<string>();
    for (const { kind, detector } of this.#detectors) {
      if (kind.explains === undefined) continue;
      const others = detector.explainedSubjects?.();
      for (const { code, subject, severity } of all) {
        // What is only information is no cause of what is worse.
        if (severity === 'information') continue;
        for (const consequence of kind.explains[code] ?? [])
          for (const one of others ?? [subject]) explained.add(`${consequence} ${one}`);
      }
    }
    const isSample = this.#context.isSample?.() === true;
    return all
      .filter(({ code, subject }) => !explained.has(`${code} ${subject}`))
      .sort((a, b) => severityRank(a.severity) - severityRank(b.severity) || b.cases - a.cases)
      .map((finding) => (isSample ? ofSample(finding) : finding))
      .map((finding) => ({ ...finding, evidence: finding.evidence.map((evidence) => this.#withFilter(evidence)) }));
  }

  /** Who gets exchanges of the same connection behind the address of a Service, where alone a pod is known; with the server. */
  #takersBehind(exchange: Exchange, flow: FlowIdentity, first: OtherLeg): (readonly [Detector, string])[] {
    const { ofPods } = this.#takers.get(exchange.protocol) ?? this.#takersOf(exchange.protocol);
    if (ofPods.length === 0 || !this.#isOfPod(exchange, flow)) return [];
    const ofFirst = this.#context.names.ofHost(first.serverHost, exchange.time, flow.interfaceId);
    if (ofFirst?.pod !== undefined || !this.#ends.isOnlyLeg(flow.id, first.id)) return [];
    this.#ends.add(flow);
    const server = serverOf(this.#context, flow, exchange.time);
    return ofPods.map((detector) => [detector, server]);
  }

  #withFilter(evidence: Evidence): Evidence {
    const filter = this.#ends.filter(evidence.flows);
    return filter === undefined ? evidence : { ...evidence, filter };
  }

  #isOfPod(event: AnalysisEvent, { serverHost, interfaceId }: FlowIdentity): boolean {
    return this.#context.names.ofHost(serverHost, event.time, interfaceId)?.pod !== undefined;
  }

  #takersFor(protocol: string): Takers {
    if (protocol === this.#lastProtocol && this.#lastTakers !== undefined) return this.#lastTakers;
    this.#lastProtocol = protocol;
    this.#lastTakers = this.#takers.get(protocol) ?? this.#takersOf(protocol);
    return this.#lastTakers;
  }

  #takersOf(protocol: string): Takers {
    const which = (isTaker: (kind: DetectorKind) => boolean) =>
      this.#detectors.filter(({ kind }) => isTaker(kind)).map(({ detector }) => detector);
    const takers = {
      all: which(({ exchanges, ofPods }) => exchanges?.(protocol) === true && ofPods !== true),
      ofPods: which(({ exchanges, ofPods }) => exchanges?.(protocol) === true && ofPods === true),
      notable: which(({ exchanges }) => exchanges === undefined),
    };
    this.#takers.set(protocol, takers);
    return takers;
  }
}

/** Whether a flow is a connection that counts, and counts here. */
function isJudged({ continued, sameAs, transport }: FlowInfo | FlowFacts): boolean {
  return continued !== true && (sameAs === undefined || sameAs.unopened === true) && transport === 'tcp';
}
