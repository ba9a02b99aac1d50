import type { AnalysisSink, FlowInfo } from '../flow/flow-facts.ts';
import { DATAGRAM_STRIDE, FLOW_F64, FLOW_I32 } from '../flow/flow-layout.ts';
import { FlowTable } from '../flow/flow-table.ts';
import { FlowView } from '../flow/flow-view.ts';
import type { FlowFollower } from '../flow/follower.ts';
import { isOnLoopback, Redirects } from '../flow/redirects.ts';
import type { FlowSightings } from '../flow/sightings.ts';
import type { Hosts } from '../identity/hosts.ts';
import { IP_PROTOCOL } from '../layers/ip-protocol.ts';
import { DATAGRAM_IDLE_NS, FLOWS_MAXIMUM } from '../limits.ts';
import type { PacketView } from '../packet/packet.ts';
import { Bodies } from '../protocols/http1/message-body.ts';
import { DATAGRAM_PROTOCOLS } from '../protocols/index.ts';
import type { DatagramAnalyzer, DatagramContext, DatagramProtocol, Likeness } from '../protocols/protocol.ts';
import type { KeyLog } from '../protocols/tls/decrypt/key-log.ts';
import { type AnalysisEvent, type Exchange, SIDE } from '../record/event.ts';
import { withProvenTimes } from '../record/proven-times.ts';
import type { AnalysisOptions } from './analysis-options.ts';
import type { Clock } from './clock.ts';
import { DatagramLegs } from './datagram-legs.ts';
import type { Places } from './places.ts';

/** FLOW_I32.protocol of a flow whose datagrams no protocol recognises; else the protocol's number + 1. */
const UNRECOGNISED = -1;

/** Datagrams of a flow that are probed before the flow counts as unrecognised. */
const LOOKS_MAXIMUM = 4;

/** What flows are counted by: of the analysis as a whole. */
export interface DatagramSources {
  readonly clock: Clock;
  readonly hosts: Hosts;
  readonly places: Places;
}

/** What is decoded and shown. */
export type DatagramOptions = Pick<AnalysisOptions, 'detail' | 'labels' | 'showSecrets' | 'bodies' | 'keys'>;

/** Every flow but TCP's: UDP with the protocols on it, and what has no ports. */
export class DatagramFlows {
  readonly table: FlowTable;
  /** By slot, what was seen at places besides the one that counts. */
  readonly sightings: (FlowSightings | undefined)[] = [];
  follower: FlowFollower | undefined;
  detail: boolean;
  readonly #clock: Clock;
  readonly #sink: AnalysisSink;
  readonly #view: FlowView;
  readonly #analyzers: DatagramAnalyzer[];
  readonly #legs: DatagramLegs;
  readonly redirects: Redirects;
  /** The place of capture of the datagram that is handed over. */
  place = 0;
  /** It was sent to a multicast address, or to all. */
  isToMany = false;

  readonly #places: Places;

  constructor({ clock, hosts, places }: DatagramSources, sink: AnalysisSink, options: DatagramOptions) {
    this.#sink = sink;
    this.#places = places;
    this.#clock = clock;
    this.detail = options.detail;
    this.table = new FlowTable(DATAGRAM_STRIDE, FLOWS_MAXIMUM, (slot) => this.#ended(slot));
    this.#legs = new DatagramLegs(this.table, clock, sink.legShown?.bind(sink));
    this.redirects = new Redirects(this.table, hosts, (_slot, _sender, packet) => isOnLoopback(packet));
    this.#view = new FlowView(this.table, {
      protocol: (slot) => this.#protocol(slot)?.name,
      sightings: (slot, client) => this.sightings[slot]?.facts(client),
      sameAs: (slot) => this.#legs.of(slot),
      redirect: (slot) => this.redirects.of(slot),
    });
    const emit = (slot: number, event: AnalysisEvent) =>
      sink.event(withProvenTimes(event, clock.now), this.#view.at(slot));
    const context = new Context(clock, this, options, emit);
    this.#analyzers = DATAGRAM_PROTOCOLS.map((protocol) => protocol.create(context));
  }

  /** The number of the clock of the datagram that is handed over. */
  get clockOfPlace(): number {
    return this.#places.clockOf(this.place);
  }

  /** A flow's first packet. */
  opened(slot: number, direction: number, packet: PacketView): void {
    const base = this.table.base(slot);
    const towardsServer = packet.sourcePort >= packet.destinationPort;
    this.table.ints[base + FLOW_I32.client] = towardsServer ? direction : 1 - direction;
    this.#legs.opened(slot, packet);
  }

  /** A packet of a flow. @returns whether a protocol took it */
  packet(slot: number, direction: number, packet: PacketView): boolean {
    if (packet.ipProtocol !== IP_PROTOCOL.udp || packet.transportOffset < 0 || packet.udpLength < 8) return false;
    const { bytes, cursor } = packet;
    // 224.0.0.0/4 and what lies behind it (RFC 5771, RFC 1112), ff00::/8 (RFC 4291).
    const first = bytes[packet.destinationAddress] as number;
    this.isToMany = first === 0xff || (first >= 0xe0 && packet.addressLength === 4);
    this.place = this.table.ints[this.table.base(slot) + FLOW_I32.vantage + direction] as number;
    return this.#datagram(slot, direction, bytes, cursor, Math.max(cursor, packet.end), packet.payloadLength);
  }

  /**
   * A packet at a place that does not count for its direction, and that the one which counts has not brought: it is kept.
   * @param hash by which its copy is recognised (RecentDatagrams.hash)
   */
  packetElsewhere(slot: number, direction: number, packet: PacketView, place: number, hash: number): void {
    if (packet.ipProtocol !== IP_PROTOCOL.udp || packet.transportOffset < 0 || packet.udpLength < 8) return;
    const { bytes, cursor } = packet;
    this.sightings[slot]?.hold({
      direction,
      bytes: Uint8Array.from(bytes.subarray(cursor, Math.max(cursor, packet.end))),
      wireLength: packet.payloadLength,
      time: this.#clock.now,
      place,
      hash,
    });
  }

  /**
   * The place that counts has not brought them: what was kept of others is what there is.
   * @param since what was captured then or before, ns
   * @returns whether later ones are kept
   */
  handOver(sightings: FlowSightings, since: number): boolean {
    const { now } = this.#clock;
    for (const { direction, bytes, wireLength, time, place } of sightings.takeHeld(since)) {
      this.#clock.now = time;
      this.place = place;
      this.isToMany = false;
      this.#datagram(sightings.slot, direction, bytes, 0, bytes.length, wireLength);
    }
    this.#clock.now = now;
    return sightings.held.length > 0;
  }

  #datagram(slot: number, direction: number, bytes: Uint8Array, start: number, end: number, length: number): boolean {
    const { ints } = this.table;
    const base = this.table.base(slot);
    if (this.follower !== undefined && (ints[base + FLOW_I32.id] as number) - 1 === this.follower.flow) {
      const isClient = ints[base + FLOW_I32.client] === direction;
      this.follower.bytes(this.#view.at(slot), isClient, this.#clock.now, bytes, start, end);
    }
    let protocol = ints[base + FLOW_I32.protocol] as number;
    if (protocol <= 0) {
      if (protocol === UNRECOGNISED) return false;
      protocol = this.#recognise(base, direction, bytes, start, end);
      if (protocol <= 0) return false;
    }
    const side = (this.table.ints[base + FLOW_I32.client] as number) === direction ? SIDE.client : SIDE.server;
    const analyzer = this.#analyzers[protocol - 1] as DatagramAnalyzer;
    analyzer.datagram(slot, side, bytes, start, end, length);
    return DATAGRAM_PROTOCOLS[protocol - 1]?.isNamedOnly !== true;
  }

  mayExpire = (_table: FlowTable, slot: number, now: number): boolean =>
    now - (this.table.doubles[(this.table.base(slot) >> 1) + FLOW_F64.last] as number) > DATAGRAM_IDLE_NS;

  /** As AlikeExchanges.add, by the flow's slot. */
  countAlike(
    slot: number,
    kind: number,
    time: number,
    latency: number,
    requestBytes: number,
    responseBytes: number,
  ): boolean {
    const { alike } = this.#sink;
    if (alike === undefined) return false;
    const flow = this.#view.at(slot);
    return flow.sameAs === undefined && alike.add(kind, flow, time, latency, requestBytes, responseBytes);
  }

  /** As AlikeExchanges.learn. */
  learnAlike(slot: number, kind: number, event: Exchange): void {
    const flow = this.#view.at(slot);
    if (flow.sameAs === undefined) this.#sink.alike?.learn(kind, event, flow);
  }

  /** Flows that have not ended; each view is valid during its call. */
  eachOpen(visit: (flow: FlowInfo) => void): void {
    for (const slot of this.table.slots()) visit(this.#view.at(slot));
  }

  end(): void {
    for (const analyzer of this.#analyzers) analyzer.end();
    this.table.clear();
  }

  /** An ICMP error quotes a flow. @param isRejection it says that what was sent does not arrive */
  icmp(slot: number, notice: AnalysisEvent, isRejection: boolean): void {
    const protocol = this.table.ints[this.table.base(slot) + FLOW_I32.protocol] as number;
    if (isRejection && protocol > 0) this.#analyzers[protocol - 1]?.rejected?.(slot);
    this.#sink.event(notice, this.#view.at(slot));
  }

  /** @returns the protocol's number + 1, or UNRECOGNISED, or 0 while undecided */
  #recognise(base: number, direction: number, bytes: Uint8Array, start: number, end: number): number {
    const { ints } = this.table;
    const ports = ints[base + FLOW_I32.ports] as number;
    if (end <= start) return 0;
    for (let number = 0; number < DATAGRAM_PROTOCOLS.length; number += 1) {
      const protocol = DATAGRAM_PROTOCOLS[number] as DatagramProtocol;
      const hinted = protocol.ports.includes(ports >>> 16) || protocol.ports.includes(ports & 0xffff);
      if (this.#isDecided(base, number, direction, protocol.probe(bytes, start, end, hinted))) return number + 1;
    }
    for (const [number, analyzer] of this.#analyzers.entries()) {
      if (this.#isDecided(base, number, direction, analyzer.recognise?.(bytes, start, end))) return number + 1;
    }
    const looked = (ints[base + FLOW_I32.packets] as number) + (ints[base + FLOW_I32.packets + 1] as number);
    if (looked >= LOOKS_MAXIMUM) ints[base + FLOW_I32.protocol] = UNRECOGNISED;
    return looked >= LOOKS_MAXIMUM ? UNRECOGNISED : 0;
  }

  /** Whether a flow is of a protocol, by what a datagram of one direction looks like. */
  #isDecided(base: number, number: number, direction: number, likeness: Likeness | undefined): boolean {
    if (likeness !== 'client' && likeness !== 'server') return false;
    const { ints } = this.table;
    ints[base + FLOW_I32.protocol] = number + 1;
    ints[base + FLOW_I32.client] = likeness === 'client' ? direction : 1 - direction;
    return true;
  }

  #protocol(slot: number): DatagramProtocol | undefined {
    return DATAGRAM_PROTOCOLS[(this.table.ints[this.table.base(slot) + FLOW_I32.protocol] as number) - 1];
  }

  #ended(slot: number): void {
    const sightings = this.sightings[slot];
    if (sightings !== undefined) {
      this.handOver(sightings, Number.POSITIVE_INFINITY);
      sightings.ended = true;
    }
    const protocol = this.table.ints[this.table.base(slot) + FLOW_I32.protocol] as number;
    if (protocol > 0) this.#analyzers[protocol - 1]?.endFlow(slot);
    this.#sink.flowEnded(this.#view.at(slot));
    if (sightings !== undefined) this.sightings[slot] = undefined;
    this.#legs.forget(slot);
    this.redirects.forget(slot);
  }
}

/** What analyzers look at for every datagram. A class: V8 is slow to read an object literal's own getters. */
class Context implements DatagramContext {
  readonly showSecrets: boolean;
  readonly labels: boolean | undefined;
  readonly bodies: Bodies | undefined;
  readonly emit: DatagramContext['emit'];
  readonly #keys: KeyLog | undefined;
  readonly #clock: Clock;
  readonly #flows: DatagramFlows;

  constructor(clock: Clock, flows: DatagramFlows, options: DatagramOptions, emit: DatagramContext['emit']) {
    this.#clock = clock;
    this.#flows = flows;
    this.showSecrets = options.showSecrets;
    this.labels = options.labels;
    this.bodies = options.bodies === true ? new Bodies(options.showSecrets) : undefined;
    this.#keys = options.keys;
    this.emit = emit;
  }

  get keys(): KeyLog | undefined {
    const keys = this.#keys;
    return keys === undefined || (keys.size === 0 && !keys.growing) ? undefined : keys;
  }

  get now(): number {
    return this.#clock.now;
  }

  get place(): number {
    return this.#flows.place;
  }

  get clock(): number {
    return this.#flows.clockOfPlace;
  }

  get isToMany(): boolean {
    return this.#flows.isToMany;
  }

  get detail(): boolean {
    return this.#flows.detail;
  }

  countAlike(
    flow: number,
    kind: number,
    time: number,
    latency: number,
    requestBytes: number,
    responseBytes: number,
  ): boolean {
    return this.#flows.countAlike(flow, kind, time, latency, requestBytes, responseBytes);
  }

  learnAlike(flow: number, kind: number, event: Exchange): void {
    this.#flows.learnAlike(flow, kind, event);
  }
}
