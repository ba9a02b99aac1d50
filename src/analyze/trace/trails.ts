import type { Places } from '../engine/places.ts';
import type { Hosts } from '../identity/hosts.ts';
import { IP_PROTOCOL } from '../layers/ip-protocol.ts';
import { PLACES_PER_FLOW, TRACE_CONNECTIONS, TRACE_MARKS_TOTAL } from '../limits.ts';
import type { PacketView } from '../packet/packet.ts';
import { DirectionMarks } from './direction-marks.ts';

/** One connection as it passed one place of capture. */
export class PlaceTrail {
  /** As Places.of; and the interface, as the analysis counts them. */
  readonly place: number;
  readonly interfaceId: number;
  /** By direction: 0 from endpoint `a` of the trail. */
  readonly marks = [new DirectionMarks(), new DirectionMarks()] as const;
  /** Hop limits (TTL) of the first packets of both directions; -1 before any. */
  readonly hopLimits: [number, number] = [-1, -1];

  constructor(place: number, interfaceId: number) {
    this.place = place;
    this.interfaceId = interfaceId;
  }
}

/** One TCP connection (one leg of it, where NAT changes its addresses) at all places that saw it. */
export class Trail {
  /** Endpoint `a`: who sent the first packet. */
  readonly host: number;
  readonly port: number;
  readonly places: PlaceTrail[] = [];

  constructor(host: number, port: number) {
    this.host = host;
    this.port = port;
  }

  at(place: number, interfaceId: number): PlaceTrail | undefined {
    for (const known of this.places) if (known.place === place) return known;
    if (this.places.length > PLACES_PER_FLOW) return undefined;
    const trail = new PlaceTrail(place, interfaceId);
    this.places.push(trail);
    return trail;
  }
}

/**
 * What every TCP connection's segments did at every place of capture: from that the times of one request at all places are
 * read. Bounded: TRACE_CONNECTIONS connections, the oldest go first, and TRACE_MARKS_TOTAL segments.
 */
export class Trails {
  /** Connections that were forgotten because of the bounds. */
  forgotten = 0;
  readonly #places: Places;
  readonly #hosts: Hosts;
  readonly #trails = new Map<number, Trail>();
  #marks = 0;

  constructor(places: Places, hosts: Hosts) {
    this.#places = places;
    this.#hosts = hosts;
  }

  /** A decoded packet of a flow. @param flow its number, -1 for none @param now ns */
  packet(packet: PacketView, flow: number, now: number): void {
    if (flow < 0 || packet.ipProtocol !== IP_PROTOCOL.tcp || packet.payloadLength <= 0) return;
    const host = this.#hosts.number(packet.bytes, packet.sourceAddress, packet.addressLength);
    let trail = this.#trails.get(flow);
    if (trail === undefined) {
      trail = new Trail(host, packet.sourcePort);
      this.#trails.set(flow, trail);
      this.#bound();
    }
    const at = trail.at(this.#places.of(packet), packet.interfaceId);
    if (at === undefined) return;
    const direction = host === trail.host && packet.sourcePort === trail.port ? 0 : 1;
    if (at.hopLimits[direction] < 0) at.hopLimits[direction] = packet.hopLimit;
    const marks = at.marks[direction];
    const before = marks.size;
    // Data of a SYN comes behind its number, but it is the same number at all places.
    marks.add(packet.tcpSequence, packet.payloadLength, now);
    this.#marks += marks.size - before;
  }

  /** @param flow its number */
  of(flow: number): Trail | undefined {
    return this.#trails.get(flow);
  }

  forget(flow: number): void {
    const trail = this.#trails.get(flow);
    if (trail === undefined) return;
    this.#trails.delete(flow);
    for (const { marks } of trail.places) this.#marks -= marks[0].size + marks[1].size;
  }

  #bound(): void {
    while (this.#trails.size > TRACE_CONNECTIONS || this.#marks > TRACE_MARKS_TOTAL) {
      const [oldest] = this.#trails.keys();
      if (oldest === undefined) return;
      this.forget(oldest);
      this.forgotten += 1;
    }
  }
}
