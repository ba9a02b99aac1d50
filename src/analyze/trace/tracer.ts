import type { Places } from '../engine/places.ts';
import type { FlowIdentity, FlowInfo } from '../flow/flow-facts.ts';
import { TimedQueue } from '../flow/timed-queue.ts';
import type { TracedPacket } from '../flow/traced-packet.ts';
import type { Hosts } from '../identity/hosts.ts';
import type { Names } from '../identity/names.ts';
import { TRACE_PENDING } from '../limits.ts';
import type { PacketView } from '../packet/packet.ts';
import type { AnalysisEvent, Exchange } from '../record/event.ts';
import { fieldsIn } from '../record/field-values.ts';
import { Assigner } from './assigner.ts';
import { type Call, endOf, newCall } from './call.ts';
import { Candidates } from './candidates.ts';
import { type ClockOffset, ClockOffsets } from './clock-offsets.ts';
import { DecodedPacket } from './decoded-packet.ts';
import { failedConnection } from './failed-connection.ts';
import { Openings } from './openings.ts';
import { passagesOf } from './passages.ts';
import { PlaceOrder } from './place-order.ts';
import { Sidecars } from './sidecars.ts';
import { type Seen, Sightings } from './sightings.ts';
import { Trails } from './trails.ts';
import { innermost, isWhole, ownVantage, timesOf, type Vantage } from './vantages.ts';

/** Protocols of events that are no calls of their own: what a tunnel or an upgrade carries is. */
const NO_CALLS: ReadonlySet<string> = new Set(['tls']);

/** So soon after an exchange's end its bytes are looked up for the first time. ns */
const SOON_NS = 20e6;

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
  readonly #trails = new Trails();
  readonly #sightings = new Sightings(this.#trails);
  readonly #openings: Openings;
  readonly #order: PlaceOrder;
  readonly #offsets = new ClockOffsets();
  /** Exchanges as they ended: first their places are looked up, then the requests they belong to, then they are done. */
  readonly #seen = new TimedQueue<Seen>(SOON_NS);
  readonly #looked: TimedQueue<Seen>;
  readonly #unassigned: TimedQueue<Call>;
  readonly #assigned: TimedQueue<Call>;
  readonly #endedFlows: TimedQueue<number>;
  readonly #sidecars: Sidecars;
  readonly #candidates: Candidates;
  readonly #assigner: Assigner;
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
    this.#assigner = new Assigner(
      { candidates: this.#candidates, sidecars: this.#sidecars, order: this.#order, oneByOne: this.#oneByOne },
      settings.apart,
    );
    this.#decoded = new DecodedPacket(sources.places, sources.hosts);
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
    const flow = this.#sightings.flow(info);
    const vantages = [countedVantage(exchange, flow, this.#sources.places.ofInterface(flow.interfaceId))];
    return newCall(exchange, flow, vantages);
  }

  event(event: AnalysisEvent, info: FlowInfo): void {
    const flow = this.#sightings.flow(info);
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
    this.#sightings.flow(info);
  }

  flowEnded(info: FlowInfo): void {
    this.#sightings.flow(info);
    this.#endedFlows.add(info.id, this.#now);
  }

  /** No more packets come. */
  end(): void {
    this.#advance(Number.POSITIVE_INFINITY);
  }

  #advance(now: number): void {
    for (let next = this.#seen.due(now); next !== undefined; next = this.#seen.due(now)) {
      this.#sightings.look(next);
      this.#lookForPassages(next);
      next.isSettled = this.#isSettled(next);
      this.#looked.add(next, Math.min(now, this.#now));
    }
    for (let next = this.#toPlace(now); next !== undefined; next = this.#toPlace(now)) {
      if (!next.isSettled) this.#sightings.look(next);
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
      if (this.#mayBelong(call)) this.#assigner.assign(call);
      this.#assigned.add(call, Math.min(now, this.#now));
    }
    // A call's request ends after it: only by then all of its calls are there.
    for (let call = this.#toEnd(until); call !== undefined; call = this.#toEnd(until)) {
      this.#candidates.forget(call);
      call.isEnded = true;
      if (!call.isInner) this.#settings.done(call);
      else if (call.joinedTo === undefined) this.#settings.apart?.(call);
    }
    for (let id = this.#endedFlows.due(now); id !== undefined; id = this.#endedFlows.due(now)) {
      this.#trails.forget(id);
      this.#openings.forget(id);
      this.#sightings.forget(id);
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

  #place({ exchange, flow, vantages: found, passages }: Seen, at: number): void {
    const { places } = this.#sources;
    const vantages = this.#order.ordered(
      found.length > 0 ? found : [countedVantage(exchange, flow, places.ofInterface(flow.interfaceId))],
      exchange.time,
    );
    const call = newCall(exchange, flow, vantages);
    if (passages.length > 0) this.#assigner.brought(call, passages);
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
