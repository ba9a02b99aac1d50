import type { TracedPacket } from '../flow/traced-packet.ts';
import { IP_PROTOCOL } from '../layers/ip-protocol.ts';
import {
  LEG_DATAGRAM_WINDOW_NS,
  PLACES_PER_FLOW,
  TRACE_BEGUN,
  TRACE_CONNECTIONS,
  TRACE_DATAGRAM_FLOWS,
  TRACE_MARKS_TOTAL,
  TRACE_PASSAGES,
} from '../limits.ts';
import { RecentMap } from '../recent-map.ts';
import { TCP } from '../tcp/flags.ts';
import { DatagramMarks } from './datagram-marks.ts';
import { DirectionMarks } from './direction-marks.ts';
import type { Marks } from './marks.ts';
import { Roles } from './roles.ts';

/** One flow as it passed one place of capture. */
export class PlaceTrail<M extends Marks = Marks> {
  /** As Places.of; and the interface, as the analysis counts them. */
  readonly place: number;
  readonly interfaceId: number;
  /** By direction: 0 from endpoint `a` of the trail. */
  readonly marks: readonly [M, M];
  /** Hop limits (TTL) of the first packets of both directions; -1 before any. */
  readonly hopLimits: [number, number] = [-1, -1];

  constructor(place: number, interfaceId: number, marks: readonly [M, M]) {
    this.place = place;
    this.interfaceId = interfaceId;
    this.marks = marks;
  }
}

/** One flow (one leg of it, where NAT changes its addresses) at all places that saw it. */
export class Trail<M extends Marks = Marks> {
  /** Endpoint `a`: who sent the first packet. */
  readonly host: number;
  readonly port: number;
  /** The other endpoint's host. */
  readonly peer: number;
  readonly places: PlaceTrail<M>[] = [];
  /** Time of the last packet, ns. */
  last = 0;
  readonly #marks: () => M;

  constructor(host: number, port: number, peer: number, marks: () => M) {
    this.host = host;
    this.port = port;
    this.peer = peer;
    this.#marks = marks;
  }

  at(place: number): PlaceTrail<M> | undefined {
    for (const known of this.places) if (known.place === place) return known;
    return undefined;
  }

  /** Its first data at a further place. @returns undefined where there are too many */
  add(place: number, interfaceId: number): PlaceTrail<M> | undefined {
    if (this.places.length > PLACES_PER_FLOW) return undefined;
    const trail = new PlaceTrail(place, interfaceId, [this.#marks(), this.#marks()]);
    this.places.push(trail);
    return trail;
  }
}

const segments = () => new DirectionMarks();
const datagrams = () => new DatagramMarks();

/**
 * What every TCP connection's segments, and the datagrams of UDP, did at every place of capture: from that the times of one
 * request at all places are read. Bounded: TRACE_CONNECTIONS connections, the oldest go first, and TRACE_MARKS_TOTAL segments;
 * TRACE_DATAGRAM_FLOWS flows of datagrams.
 */
export class Trails {
  /** Connections, and flows of datagrams in use, that were forgotten because of the bounds. */
  forgotten = 0;
  readonly roles = new Roles();
  /** Connections whose SYN was seen: the host that sent it. */
  readonly #begun = new RecentMap<number, number>(TRACE_BEGUN);
  readonly #trails = new RecentMap<number, Trail<DirectionMarks>>();
  readonly #datagrams = new RecentMap<number, Trail<DatagramMarks>>();
  /** By host: its connections that were seen at several interfaces. */
  readonly #passing = new Map<number, Set<number>>();
  #marks = 0;

  packet(packet: TracedPacket): void {
    if (packet.flow < 0) return;
    if ((packet.tcpFlags & TCP.syn) !== 0 && packet.ipProtocol === IP_PROTOCOL.tcp) this.#syn(packet);
    if (packet.payloadLength <= 0) return;
    if (packet.ipProtocol === IP_PROTOCOL.tcp) this.#segment(packet);
    else if (packet.ipProtocol === IP_PROTOCOL.udp) this.#datagram(packet);
  }

  /** @param flow its number */
  of(flow: number): Trail | undefined {
    return this.#trails.get(flow) ?? this.#datagrams.get(flow);
  }

  /** Connections to or from a host that were seen at more than one interface, those that began last first; not all of many. */
  *between(host: number): Generator<readonly [number, Trail]> {
    const flows = [...(this.#passing.get(host) ?? [])];
    for (const flow of flows.reverse()) {
      const trail = this.#trails.get(flow);
      if (trail !== undefined) yield [flow, trail];
    }
  }

  /** A connection was seen at a second interface. */
  #passes({ host, peer }: Trail, flow: number): void {
    for (const end of [host, peer]) {
      const flows = this.#passing.get(end);
      if (flows === undefined) this.#passing.set(end, new Set([flow]));
      else {
        flows.add(flow);
        const [oldest] = flows;
        if (flows.size > TRACE_PASSAGES && oldest !== undefined) flows.delete(oldest);
      }
    }
  }

  forget(flow: number): void {
    this.#begun.delete(flow);
    this.#datagrams.delete(flow);
    const trail = this.#trails.get(flow);
    if (trail === undefined) return;
    this.#trails.delete(flow);
    this.#forgot(flow, trail);
  }

  /** A connection is no longer in #trails. */
  #forgot(flow: number, { host, peer, places }: Trail): void {
    for (const end of [host, peer]) {
      const flows = this.#passing.get(end);
      flows?.delete(flow);
      if (flows?.size === 0) this.#passing.delete(end);
    }
    for (const { marks } of places) this.#marks -= marks[0].size + marks[1].size;
  }

  /** A SYN, or the answer to one, shows who calls whom, also where no data follows. */
  #syn({ flow, place, tcpFlags, sourceHost, destinationHost }: TracedPacket): void {
    const isAnswer = (tcpFlags & TCP.ack) !== 0;
    const client = isAnswer ? destinationHost : sourceHost;
    this.roles.add(place, client, isAnswer ? sourceHost : destinationHost, true);
    this.#begun.set(flow, client);
  }

  /** A flow's first data at a place. @param client undefined where its SYN was not seen anywhere */
  #addRoles(packet: TracedPacket, place: number, sender: number, client: number | undefined): void {
    const receiver = packet.destinationHost;
    const isBySender = client === undefined || client === sender;
    this.roles.add(place, isBySender ? sender : receiver, isBySender ? receiver : sender, client !== undefined);
  }

  #segment(packet: TracedPacket): void {
    const { flow, place, sourceHost: host } = packet;
    let trail = this.#trails.get(flow);
    if (trail === undefined) {
      trail = new Trail(host, packet.sourcePort, packet.destinationHost, segments);
      this.#trails.set(flow, trail);
      this.#bound();
    }
    let at = trail.at(place);
    if (at === undefined) {
      this.#addRoles(packet, place, host, this.#begun.get(flow));
      at = trail.add(place, packet.interfaceId);
      if (at === undefined) return;
      if (trail.places.some((other) => other.place >>> 16 !== place >>> 16)) this.#passes(trail, flow);
    }
    // Only one place can have seen it: the exchange's own times say all.
    if (!packet.mayCopy) return;
    const direction = host === trail.host && packet.sourcePort === trail.port ? 0 : 1;
    if (at.hopLimits[direction] < 0) at.hopLimits[direction] = packet.hopLimit;
    const marks = at.marks[direction];
    // Data of a SYN comes behind its number, but it is the same number at all places.
    if (marks.add(packet.sequence, packet.payloadLength, packet.time)) this.#marks += 1;
  }

  #datagram(packet: TracedPacket): void {
    const { flow, place, time: now, sourceHost: host } = packet;
    let trail = this.#datagrams.get(flow);
    if (trail === undefined) {
      trail = new Trail(host, packet.sourcePort, packet.destinationHost, datagrams);
      this.#datagrams.set(flow, trail);
      if (this.#datagrams.size > TRACE_DATAGRAM_FLOWS) this.#forgetDatagrams(now);
    }
    trail.last = now;
    let at = trail.at(place);
    if (at === undefined) {
      // Who sends the first datagram asks, unless the capture began with an answer: those come from a lower port.
      const isQuestion = packet.sourcePort >= packet.destinationPort;
      this.#addRoles(packet, place, host, isQuestion ? host : undefined);
      at = trail.add(place, packet.interfaceId);
      if (at === undefined) return;
    }
    if (!packet.mayCopy) return;
    const direction = host === trail.host && packet.sourcePort === trail.port ? 0 : 1;
    if (at.hopLimits[direction] < 0) at.hopLimits[direction] = packet.hopLimit;
    at.marks[direction].add(packet.contentHash, now);
  }

  /** The flow that was seen first goes. */
  #forgetDatagrams(now: number): void {
    const oldest = this.#datagrams.takeOldest();
    if (oldest !== undefined && now - oldest[1].last < LEG_DATAGRAM_WINDOW_NS) this.forgotten += 1;
  }

  #bound(): void {
    while (this.#trails.size > TRACE_CONNECTIONS || this.#marks > TRACE_MARKS_TOTAL) {
      const oldest = this.#trails.takeOldest();
      if (oldest === undefined) return;
      this.#begun.delete(oldest[0]);
      this.#forgot(...oldest);
      this.forgotten += 1;
    }
  }
}
