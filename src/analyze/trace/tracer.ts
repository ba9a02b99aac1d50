import type { Places } from '../engine/places.ts';
import type { FlowIdentity, FlowInfo } from '../flow/flow-facts.ts';
import { TimedQueue } from '../flow/timed-queue.ts';
import type { TracedPacket } from '../flow/traced-packet.ts';
import type { Hosts } from '../identity/hosts.ts';
import type { Names } from '../identity/names.ts';
import { TRACE_CALLS, TRACE_PENDING } from '../limits.ts';
import type { PacketView } from '../packet/packet.ts';
import type { AnalysisEvent, Exchange } from '../record/event.ts';
import { fieldsIn } from '../record/field-values.ts';
import { type Call, endOf, isBelow, newCall } from './call.ts';
import { type Candidate, Candidates } from './candidates.ts';
import { type ClockOffset, ClockOffsets } from './clock-offsets.ts';
import { DecodedPacket } from './decoded-packet.ts';
import { failedConnection } from './failed-connection.ts';
import { Openings } from './openings.ts';
import { isCertain, type Passage, passagesOf } from './passages.ts';
import { bestPassed } from './passed.ts';
import { PlaceOrder } from './place-order.ts';
import { Sidecars } from './sidecars.ts';
import { Trails } from './trails.ts';
import {
  bytesOf,
  type ExchangeBytes,
  innermost,
  isWhole,
  type Leg,
  merged,
  ownVantage,
  timesOf,
  type Vantage,
  vantagesOf,
} from './vantages.ts';

/** A call belongs to a request only where so much speaks for it, and so much more than for any other. */
const SCORE_KNOWN = 7;
const SCORE_SOLE = 4;
const LEAD = 4;

/** Protocols of events that are no calls of their own: what a tunnel or an upgrade carries is. */
const NO_CALLS: ReadonlySet<string> = new Set(['tls']);

const NO_OTHERS: readonly number[] = [];

/** So soon after an exchange's end its bytes are looked up for the first time. ns */
const SOON_NS = 20e6;

/** An exchange whose places are being looked up. */
interface Seen {
  readonly exchange: Exchange;
  readonly flow: FlowIdentity;
  bytes: ExchangeBytes | undefined;
  vantages: Vantage[];
  /** Of a request of a sidecar to its program: connections that may have brought it. */
  passages: readonly Passage[];
  /** Marks.changes of all places together when they were looked at, and how many places that were. */
  changes: number;
  places: number;
  /** Nothing more can be seen of it: both ends' own interfaces saw all, and only pods' interfaces were captured. */
  isSettled: boolean;
}

export interface TracerSources {
  readonly places: Places;
  readonly hosts: Hosts;
  readonly names: Names;
}

export interface TracerSettings {
  /** Other places may bring a packet so much later, ns of packet time: nodes' clocks differ, and streams are merged. */
  readonly late: number;
  /** How long a call waits for the request it may belong to, ns of packet time: longer for a file than live. */
  readonly patience: number;
  /** How long a connection may take to come up, ns of packet time, until it is reported that it did not. */
  readonly opening: number;
  /** A client's own request with all that was done for it, in the order in which they ended. */
  done(call: Call): void;
  /** A call that may belong to a request but is not among that one's calls: several had it open, or there was no room. With its own calls. */
  readonly apart?: ((call: Call) => void) | undefined;
}

/**
 * Joins exchanges into traces: one request at all places that saw it, and the calls that were made because of it. A call
 * belongs to a request when the place that saw both proves it or makes it likely (likeness.ts); a call that may belong to
 * several is not given to any.
 */
export class Tracer {
  readonly #sources: TracerSources;
  readonly #settings: TracerSettings;
  readonly #decoded: DecodedPacket;
  readonly #trails: Trails;
  readonly #openings: Openings;
  readonly #order: PlaceOrder;
  readonly #offsets = new ClockOffsets();
  /** By flow: its ends. */
  readonly #flows = new Map<number, FlowIdentity>();
  /** By the flow that was seen first: the flows that are its other legs. Either may have the first event. */
  readonly #others = new Map<number, number[]>();
  /** Exchanges as they ended: first their places are looked up, then the requests they belong to, then they are done. */
  readonly #seen = new TimedQueue<Seen>(SOON_NS);
  readonly #looked: TimedQueue<Seen>;
  readonly #unassigned: TimedQueue<Call>;
  readonly #assigned: TimedQueue<Call>;
  readonly #endedFlows: TimedQueue<number>;
  readonly #sidecars: Sidecars;
  readonly #candidates: Candidates;
  /** Of requests of sidecars to their programs, until they are assigned: the connections that may have brought them. */
  readonly #passages = new Map<Call, readonly Passage[]>();
  /** TLS connections that carry one request after the other: their clients do not offer HTTP/2. */
  readonly #oneByOne = new Set<number>();
  #now = Number.NEGATIVE_INFINITY;
  /** Interfaces of the capture that brought packets, and whether all of them are pods': no other place is on the way then. */
  #interfaces = 0;
  #arePods = true;
  /** Calls that could not wait for their request because there were too many. */
  hurried = 0;

  constructor(sources: TracerSources, settings: TracerSettings) {
    this.#sources = sources;
    this.#settings = settings;
    this.#order = new PlaceOrder(sources.places, sources.names);
    this.#sidecars = new Sidecars(sources.hosts);
    this.#candidates = new Candidates(this.#sidecars, sources.hosts);
    this.#decoded = new DecodedPacket(sources.places, sources.hosts);
    this.#trails = new Trails();
    this.#openings = new Openings(settings.opening);
    this.#unassigned = new TimedQueue(settings.patience);
    this.#assigned = new TimedQueue(settings.late);
    this.#looked = new TimedQueue(settings.late);
    this.#endedFlows = new TimedQueue(2 * settings.late);
  }

  /** Connections of which the marks were forgotten because of a bound. */
  get forgotten(): number {
    return this.#trails.forgotten + this.#openings.forgotten;
  }

  /** Every packet, after its events. @param flow its number, -1 for none */
  packet(packet: PacketView, flow: number, now: number): void {
    this.passed(this.#decoded.set(packet, flow, now));
  }

  /** As packet(), decoded here or beside an agent. */
  passed(packet: TracedPacket): void {
    for (; this.#interfaces <= packet.interfaceId; this.#interfaces += 1) {
      if (this.#sources.names.ofInterface(this.#interfaces)?.pod === undefined) this.#arePods = false;
    }
    this.#trails.packet(packet);
    this.#openings.packet(packet);
    const { time } = packet;
    if (time > this.#now) {
      this.#now = time;
      this.#advance(time);
    }
  }

  /**
   * Whether there may be more to a request than its exchange: another place that saw it, or calls made because of it. Until
   * then all that is known of an exchange is alone(). @param packet after packet()
   */
  mayJoin(packet: PacketView): boolean {
    return this.#trails.roles.mayJoin || this.#sources.places.mayCopy(packet.linkType);
  }

  /** An exchange of one place, without any calls: what event() makes of it where nothing may be joined. */
  alone(exchange: Exchange, info: FlowInfo): Call {
    const flow = this.#flow(info);
    const vantages = [countedVantage(exchange, flow, this.#sources.places.ofInterface(flow.interfaceId))];
    return newCall(exchange, flow, vantages);
  }

  event(event: AnalysisEvent, info: FlowInfo): void {
    const flow = this.#flow(info);
    if (event.kind === 'exchange') {
      this.#sidecars.learn(this.#sources.places.ofInterface(flow.interfaceId), flow);
      if (isOneByOne(event)) this.#oneByOne.add(flow.id);
    }
    if (event.kind === 'event' && event.code === 'ICMP_UNREACHABLE') this.#openings.rejected(flow.id, event.label);
    if (event.kind !== 'exchange' || !isCall(event, flow)) return;
    this.#seen.add(
      { exchange: event, flow, bytes: undefined, vantages: [], passages: [], changes: -1, places: 0, isSettled: false },
      Math.max(this.#now, endOf(event)),
    );
  }

  /** A flow shows to be another leg of a connection: its places are looked at for that one's exchanges. */
  legJoined(info: FlowInfo): void {
    this.#flow(info);
  }

  flowEnded(info: FlowInfo): void {
    this.#flow(info);
    this.#endedFlows.add(info.id, this.#now);
  }

  /** No more packets come. */
  end(): void {
    this.#advance(Number.POSITIVE_INFINITY);
  }

  /** A flow as it may be kept; both legs of a connection learn of one another. */
  #flow(info: FlowInfo): FlowIdentity {
    const { id, sameAs } = info;
    const known = this.#flows.get(id);
    const isKnown = known?.sameAs?.id === sameAs?.id && known?.redirect === info.redirect;
    const isSame = known?.clientPort === info.clientPort && known.interfaceId === info.interfaceId;
    if (known !== undefined && isKnown && isSame) return known;
    const { transport, clientHost, serverHost, clientPort, serverPort, interfaceId, redirect, sample } = info;
    const ends = { clientHost, serverHost, clientPort, serverPort };
    const flow: FlowIdentity = { id, transport, ...ends, interfaceId, sameAs, redirect, sample };
    this.#flows.set(id, flow);
    if (sameAs !== undefined) {
      const others = this.#others.get(sameAs.id);
      if (others === undefined) this.#others.set(sameAs.id, [id]);
      else if (!others.includes(id)) others.push(id);
    }
    return flow;
  }

  #advance(now: number): void {
    for (let next = this.#seen.due(now); next !== undefined; next = this.#seen.due(now)) {
      this.#look(next);
      this.#lookForPassages(next);
      next.isSettled = this.#isSettled(next);
      this.#looked.add(next, Math.min(now, this.#now));
    }
    for (let next = this.#toPlace(now); next !== undefined; next = this.#toPlace(now)) {
      if (!next.isSettled) this.#look(next);
      this.#lookForPassages(next);
      this.#place(next, Math.min(now, this.#now));
    }
    for (let next = this.#openings.due(now); next !== undefined; next = this.#openings.due(now)) {
      // Data went over it: that a place missed the answer proves nothing.
      if (next.places.some(({ flow }) => this.#trails.of(flow) !== undefined)) continue;
      const failed = failedConnection(next, this.#order);
      if (failed !== undefined) this.#unassigned.add(failed, Math.min(now, this.#now));
    }
    const isFull = this.#unassigned.size + this.#assigned.size > TRACE_PENDING;
    if (isFull) this.hurried += this.#unassigned.size;
    const until = isFull ? Number.POSITIVE_INFINITY : now;
    for (let call = this.#toAssign(until); call !== undefined; call = this.#toAssign(until)) {
      this.#assign(call);
      this.#assigned.add(call, Math.min(now, this.#now));
    }
    // A call's request ends after it: only by then all of its calls are there.
    for (let call = this.#toEnd(until); call !== undefined; call = this.#toEnd(until)) {
      this.#candidates.forget(call);
      call.isEnded = true;
      if (!call.isInner) this.#settings.done(call);
      else if (!call.isJoined) this.#settings.apart?.(call);
    }
    for (let id = this.#endedFlows.due(now); id !== undefined; id = this.#endedFlows.due(now)) {
      this.#trails.forget(id);
      this.#openings.forget(id);
      this.#flows.delete(id);
      this.#others.delete(id);
      this.#oneByOne.delete(id);
    }
  }

  /** The next exchange that needs to wait no longer for other places' packets. */
  #toPlace(now: number): Seen | undefined {
    return this.#looked.first?.isSettled === true ? this.#looked.take() : this.#looked.due(now);
  }

  /**
   * The next call that needs to wait no longer for the request it may belong to: none can be its reason, or its time is over.
   * The time of those whose clocks are not known yet shows the clocks.
   */
  #toAssign(until: number): Call | undefined {
    const { first } = this.#unassigned;
    if (first === undefined) return undefined;
    const waits = this.#mayBelong(first) || !this.#areClocksKnown(first);
    return waits ? this.#unassigned.due(until) : this.#unassigned.take();
  }

  /** The next call that needs to wait no longer for the calls made because of it, and for what shows its places' clocks. */
  #toEnd(until: number): Call | undefined {
    const { first } = this.#assigned;
    if (first === undefined) return undefined;
    const waits = this.#mayHaveCalls(first) || !this.#areClocksKnown(first);
    return waits ? this.#assigned.due(until) : this.#assigned.take();
  }

  #areClocksKnown({ vantages, exchange }: Call): boolean {
    for (let index = 1; index < vantages.length; index += 1) {
      const offset = this.clockOffset(vantages[index - 1] as Vantage, vantages[index] as Vantage, exchange.time);
      if (offset === undefined) return false;
    }
    return true;
  }

  /** Whether its client took requests at a place that saw the call. All of that place's packets until its end are known. */
  #mayBelong(call: Call): boolean {
    if (!this.#sidecars.areNone) return true;
    const { vantages } = call;
    for (const { place, clientHost } of vantages) if (this.#trails.roles.mayServe(place, clientHost)) return true;
    return false;
  }

  /** Whether its server made calls at a place that saw it; after a request without a response it may still do so. */
  #mayHaveCalls({ vantages }: Call): boolean {
    for (const at of vantages) if (this.#mayCallAt(at)) return true;
    return false;
  }

  #mayCallAt({ place, serverHost, responseStart }: Vantage): boolean {
    if (responseStart === undefined || !this.#sidecars.areNone) return true;
    return this.#trails.roles.mayCall(place, serverHost);
  }

  /** Whether nothing more can be seen of an exchange. What came again at one place may be on its way to another. */
  #isSettled({ vantages, exchange }: Seen): boolean {
    if (!this.#arePods || vantages.length < 2) return false;
    const { time } = exchange;
    let isAtClient = false;
    let isAtServer = false;
    for (const at of vantages) {
      if (!isWholeOnce(at)) return false;
      isAtClient ||= this.#order.isAt(at, at.clientHost, time);
      isAtServer ||= this.#order.isAt(at, at.serverHost, time);
    }
    return isAtClient && isAtServer;
  }

  /** What places have seen of an exchange until now: soon, before it is forgotten, and later, when all of them have. */
  #look(seen: Seen): void {
    const { exchange, flow } = seen;
    const own = this.#leg(flow.id);
    if (own === undefined) return;
    const legs = [own];
    for (const id of this.#others.get(flow.id) ?? NO_OTHERS) {
      const other = this.#leg(id);
      if (other !== undefined) legs.push(other);
    }
    let changes = 0;
    let places = 0;
    for (const { trail } of legs) {
      for (const { marks } of trail.places) changes += marks[0].changes + marks[1].changes;
      places += trail.places.length;
    }
    const isSame = changes === seen.changes && places === seen.places;
    if (isSame && seen.vantages.length === places && seen.vantages.every(isWhole)) return;
    seen.changes = changes;
    seen.places = places;
    seen.bytes ??= bytesOf(exchange, own);
    if (seen.bytes === undefined) return;
    const found = vantagesOf(exchange, seen.bytes, legs);
    seen.vantages = seen.vantages.length === 0 ? found : merged(seen.vantages, found);
  }

  /** Of a request of a sidecar to its program: the connections of other pods that may have brought it. */
  #lookForPassages(seen: Seen): void {
    if (this.#sidecars.areNone) return;
    const at = seen.vantages.find((vantage) => this.#sidecars.isToProgram(vantage));
    if (at === undefined) return;
    // The sidecar's response may come only now; what was seen before may be forgotten by now.
    const found = passagesOf(this.#trails.between(at.serverHost), at);
    const gone = seen.passages.filter(({ flow }) => found.every((other) => other.flow !== flow));
    seen.passages = [...found, ...gone];
  }

  #leg(id: number): Leg | undefined {
    const trail = this.#trails.of(id);
    const flow = this.#flows.get(id);
    if (trail === undefined || flow === undefined) return undefined;
    const { clientHost, clientPort, serverHost, serverPort } = flow;
    return { id, clientHost, clientPort, serverHost, serverPort, trail };
  }

  #place({ exchange, flow, vantages: found, passages }: Seen, at: number): void {
    const { places } = this.#sources;
    const vantages = this.#order.ordered(
      found.length > 0 ? found : [countedVantage(exchange, flow, places.ofInterface(flow.interfaceId))],
      exchange.time,
    );
    const call = newCall(exchange, flow, vantages);
    if (passages.length > 0) this.#passages.set(call, passages);
    this.#unassigned.add(call, at);
    this.#compareClocks(vantages, exchange.time);
    // An address before NAT, of a Service or a node, takes no requests: the same connection goes on to the pod that does.
    const server = this.#sidecars.areNone ? innermost(vantages)?.serverHost : undefined;
    for (const vantage of vantages) {
      const isServer = server === undefined || vantage.serverHost === server;
      if (isServer && this.#mayCallAt(vantage)) this.#candidates.add(call, vantage);
    }
  }

  /** What passed between places of different clocks. The first copy of what was retransmitted may have been missed: it does not count. */
  #compareClocks(vantages: readonly Vantage[], time: number): void {
    const { places } = this.#sources;
    for (let index = 1; index < vantages.length; index += 1) {
      const outer = vantages[index - 1] as Vantage;
      const inner = vantages[index] as Vantage;
      const from = places.clockOf(outer.place);
      const to = places.clockOf(inner.place);
      if (from === to) continue;
      if (outer.requestAgain.count + inner.requestAgain.count === 0) {
        const delay = difference(inner.requestEnd, outer.requestEnd);
        if (delay !== undefined) this.#offsets.passed(from, to, delay, time);
      }
      if (outer.responseAgain.count + inner.responseAgain.count === 0) {
        const delay = difference(outer.responseStart, inner.responseStart);
        if (delay !== undefined) this.#offsets.passed(to, from, delay, time);
      }
    }
  }

  /** Whether all packets of a connection that passed a place were captured there, as far as that is known. */
  readonly isComplete = ({ place, hasHoles }: Vantage): boolean => !hasHoles && !this.#sources.places.hasMissed(place);

  /** How far the clock of one place is ahead of another's; undefined where the packets do not prove it. @param time ns */
  readonly clockOffset = (from: Vantage, to: Vantage, time: number): ClockOffset | undefined => {
    const { places } = this.#sources;
    return this.#offsets.between(places.clockOf(from.place), places.clockOf(to.place), time);
  };

  /** Whether a place is where the call's server is. */
  readonly isServer = (call: Call, at: Vantage): boolean =>
    this.#order.isAt(at, at.serverHost, call.exchange.time) ||
    call.children.some(({ outer }) => outer.place === at.place);

  /** Find the request because of which a call was made. */
  #assign(call: Call): void {
    if (!this.#mayBelong(call)) return;
    // Of two that were open from one time to another each may seem to be the reason of the other.
    const found = this.#candidates.of(call).filter(({ outer }) => !isBelow(outer, call));
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
      call.isJoined = true;
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
    if (!this.#sidecars.areNone) return false;
    if (at.clientHost === at.serverHost) return true;
    if (!this.#order.isAt(at, at.serverHost, time)) return false;
    return vantages.some(
      (each) => each.place >>> 16 === at.place >>> 16 && this.#order.isAt(each, each.clientHost, time),
    );
  }

  /** Find the request that two sidecars passed on to a program, through a connection whose content cannot be read. */
  #assignPassed(call: Call, passages: readonly Passage[]): void {
    const found = this.#candidates.passed(call, passages).filter(({ outer }) => !isBelow(outer, call));
    const best = bestPassed(found);
    if (best === undefined) {
      for (const { outer, score } of found) if (score >= SCORE_SOLE) outer.ambiguous += 1;
      return;
    }
    call.isInner = true;
    call.isJoined = true;
    const { outer, passages: through, confidence } = best;
    if (outer.passedTo !== undefined) this.#leaves(outer, outer.passedTo.call);
    const [sole, ...others] = through;
    const isKnown =
      sole !== undefined && others.length === 0 && isCertain(sole, best.at, this.#oneByOne.has(sole.flow));
    outer.passedTo = { call, confidence, between: isKnown ? [sole.outer, sole.inner] : [] };
  }

  /** A request was passed on twice: the first call stands apart. */
  #leaves(outer: Call, call: Call): void {
    outer.ambiguous += 1;
    call.isJoined = false;
    if (call.isEnded) this.#settings.apart?.(call);
  }
}

/** Whether a TLS handshake is of a connection with HTTP/1.1: the protocols offered include that, and no HTTP/2. */
function isOneByOne({ protocol, fields }: Exchange): boolean {
  const alpn = protocol === 'tls' ? fieldsIn(fields.tls)?.alpn : undefined;
  return typeof alpn === 'string' && alpn.includes('http/1.1') && !alpn.includes('h2');
}

/** All times are known, and nothing came again. */
function isWholeOnce(at: Vantage): boolean {
  return isWhole(at) && at.requestAgain.count + at.responseAgain.count === 0;
}

/** Whether an exchange is a call of its own. That of the other leg is the same one. */
export function isCall({ protocol, incomplete }: Exchange, { sameAs }: FlowIdentity): boolean {
  return !NO_CALLS.has(protocol) && incomplete !== 'request not seen' && sameAs === undefined;
}

function difference(later: number | undefined, earlier: number | undefined): number | undefined {
  return later === undefined || earlier === undefined ? undefined : later - earlier;
}

/** An exchange of which nothing is known but at the place that counted. */
function countedVantage(exchange: Exchange, flow: FlowIdentity, place: number): Vantage {
  const { interfaceId, clientHost, serverHost, serverPort } = flow;
  return { ...ownVantage({ place, interfaceId, clientHost, serverHost, serverPort }), ...timesOf(exchange) };
}
