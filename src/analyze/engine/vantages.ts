import { Deadlines } from '../flow/deadlines.ts';
import type { AnalysisSink } from '../flow/flow-facts.ts';
import { FLOW_F64, FLOW_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { FlowSightings } from '../flow/sightings.ts';
import { DIRECTION } from '../layers/layer.ts';
import { HANDOVER_NS } from '../limits.ts';
import type { PacketView } from '../packet/packet.ts';
import type { TcpConnections } from '../tcp/connections.ts';
import { setOverheard } from '../tcp/overheard.ts';
import type { Clock } from './clock.ts';
import type { DatagramFlows } from './datagrams.ts';
import { isOneWay, otherHalf, swapCounts, wholePlace } from './one-way.ts';
import type { Places } from './places.ts';
import { type RecentDatagrams, SEEN_BEFORE, type SeenBefore } from './recent-datagrams.ts';

/** What vantages need of an analysis. */
export interface VantageContext {
  readonly clock: Clock;
  readonly places: Places;
  readonly tcp: TcpConnections;
  readonly datagrams: DatagramFlows;
  readonly recent: RecentDatagrams;
  readonly sink: AnalysisSink;
  /** So many more packets count, which were counted as copies. */
  recounted(packets: number): void;
}

/**
 * At which place of capture a flow's packets count, each direction by itself: the first that has seen it, until it falls silent while
 * another one brings what is new, or until it shows that only one direction passes it. What the other places see is noted.
 */
export class Vantages {
  readonly #clock: Clock;
  readonly #places: Places;
  readonly #tcp: TcpConnections;
  readonly #datagrams: DatagramFlows;
  readonly #recent: RecentDatagrams;
  readonly #sink: AnalysisSink;
  readonly #recounted: (packets: number) => void;
  /** Flows of which another place brings what the one that counts does not. */
  readonly #silent = new Deadlines<FlowSightings>(HANDOVER_NS);

  constructor({ clock, places, tcp, datagrams, recent, sink, recounted }: VantageContext) {
    this.#clock = clock;
    this.#places = places;
    this.#tcp = tcp;
    this.#datagrams = datagrams;
    this.#recent = recent;
    this.#sink = sink;
    this.#recounted = recounted;
  }

  /** Whether a place may fall silent: then `passed` has to be called. */
  get isWaiting(): boolean {
    return !this.#silent.isEmpty;
  }

  /** Places that have been silent for long enough do not count any more. @param now time of the capture, ns */
  passed(now: number): void {
    for (let silent = this.#silent.due(now); silent !== undefined; silent = this.#silent.due(now)) {
      this.#handOver(silent, now - HANDOVER_NS);
    }
  }

  /** No more packets come: what only another place has brought counts. */
  end(): void {
    for (const { sightings } of [this.#tcp, this.#datagrams]) {
      for (const elsewhere of sightings) {
        if (elsewhere !== undefined) this.#handOver(elsewhere, Number.POSITIVE_INFINITY);
      }
    }
  }

  /**
   * Whether a packet counts: it was captured at the place that counts for its direction, or this place counts from now on
   * because that one has fallen silent. Else it is noted what the place has seen.
   * @param slot of its flow in the table of TCP connections (`isTcp`) or of datagrams
   * @param seen whether the same datagram came before; of TCP segments always `no`
   */
  counts(
    slot: number,
    direction: number,
    packet: PacketView,
    place: number,
    seen: SeenBefore,
    isTcp: boolean,
  ): boolean {
    const flows = isTcp ? this.#tcp : this.#datagrams;
    const { table, sightings } = flows;
    const { now } = this.#clock;
    const base = table.base(slot);
    const vantage = base + FLOW_I32.vantage + direction;
    const counting = table.ints[vantage] as number;
    let elsewhere = sightings[slot];
    if (counting === place) {
      if (elsewhere === undefined) return true;
      const side = direction === 0 ? 0 : 1;
      if (!isTcp || !isOneWay(table, base, side, packet, place) || !this.#move(elsewhere, side, packet, place)) {
        elsewhere.counted(direction);
        if (seen === SEEN_BEFORE.elsewhere) elsewhere.unhold(this.#recent.hash);
        return true;
      }
    }
    table.doubles[(base >> 1) + FLOW_F64.last] = now;
    if (elsewhere === undefined) {
      elsewhere = new FlowSightings(slot, (table.ints[base + FLOW_I32.id] as number) - 1, isTcp);
      sightings[slot] = elsewhere;
    }
    const other = elsewhere.at(place, packet.interfaceId);
    const own = other?.directions[direction === 0 ? 0 : 1];
    if (own?.packets === 0 && packet.direction === DIRECTION.outbound) this.#sink.leftAt?.(packet);
    if (own?.packets === 0 && isTcp && !packet.isForOthers) setOverheard(table, slot, false);
    own?.add(packet.wireEnd - packet.networkOffset, now);
    if (isTcp) own?.segment(packet.tcpSequence, packet.payloadLength);
    const isGone = !this.#places.isAlive(counting);
    if (seen === SEEN_BEFORE.no && (!isTcp || isGone || this.#tcp.bringsNew(slot, direction, packet))) {
      if (elsewhere.broughtNew(direction, place, now)) this.#silent.add(elsewhere, now);
      if (isGone) {
        this.#handOver(elsewhere, now);
        return true;
      }
    }
    if (seen === SEEN_BEFORE.no) {
      elsewhere.countNew(direction, packet.wireEnd - packet.networkOffset, packet.payloadLength, other);
    }
    if (isTcp) this.#tcp.packetElsewhere(slot, direction, packet, place, other);
    else if (seen === SEEN_BEFORE.no) {
      this.#datagrams.packetElsewhere(slot, direction, packet, place, this.#recent.hash);
    }
    return false;
  }

  /**
   * A place passes on only one direction of a TCP connection: one that has seen both counts from now on for both, so that requests and
   * responses have the times of one clock. Where there is none, the place that brings the other direction counts for that one.
   * @param direction that the place brings, with the packet
   * @returns whether there is a place that counts for both
   */
  #move(elsewhere: FlowSightings, direction: 0 | 1, packet: PacketView, place: number): boolean {
    const { table } = this.#tcp;
    const to = wholePlace(table, elsewhere, this.#places, place);
    const { slot } = elsewhere;
    const base = table.base(slot);
    if (to === undefined) {
      const half = otherHalf(table, base, opposite(direction), elsewhere, this.#places);
      if (half === undefined) return false;
      this.#tcp.answerTaken(slot, direction, half);
      this.#give(elsewhere, opposite(direction));
      return false;
    }
    const { ints } = table;
    this.#recounted(swapCounts(table, base, to, elsewhere.swap(to, place, packet.interfaceId)));
    ints[base + FLOW_I32.vantage] = to.place;
    ints[base + FLOW_I32.vantage + 1] = to.place;
    ints[base + FLOW_I32.interfaceId] = to.interfaceId;
    for (const each of [0, 1] as const) elsewhere.counted(each);
    this.#tcp.moved(slot, direction, to);
    return true;
  }

  /**
   * Places that alone have brought what is new count from now on.
   * @param since those that did so since then or before, ns
   */
  #handOver(elsewhere: FlowSightings, since: number): void {
    for (const direction of [0, 1] as const) {
      if (elsewhere.newSince[direction] <= since) this.#give(elsewhere, direction);
    }
    if (!elsewhere.isTcp && this.#datagrams.handOver(elsewhere, since)) this.#silent.add(elsewhere, this.#clock.now);
  }

  /** The place that alone has brought what is new of a direction counts for it from now on. */
  #give(elsewhere: FlowSightings, direction: 0 | 1): void {
    const { slot, isTcp, newPackets, newBytes, newPayload } = elsewhere;
    const { table } = isTcp ? this.#tcp : this.#datagrams;
    const base = table.base(slot);
    table.ints[base + FLOW_I32.vantage + direction] = elsewhere.newPlace[direction];
    addTo(table, base, direction, newPackets[direction], newBytes[direction], newPayload[direction]);
    this.#recounted(newPackets[direction]);
    elsewhere.counted(direction);
    if (isTcp) this.#tcp.handOver(slot, direction);
  }
}

/** The other direction of a flow. */
export function opposite(direction: 0 | 1): 0 | 1 {
  return direction === 0 ? 1 : 0;
}

/** Count packets of a flow's direction. */
function addTo(
  { ints, doubles }: FlowTable,
  base: number,
  direction: number,
  packets: number,
  bytes: number,
  payload: number,
): void {
  const own = (base >> 1) + direction;
  ints[base + FLOW_I32.packets + direction] = (ints[base + FLOW_I32.packets + direction] as number) + packets;
  doubles[own + FLOW_F64.bytes] = (doubles[own + FLOW_F64.bytes] as number) + bytes;
  doubles[own + FLOW_F64.payload] = (doubles[own + FLOW_F64.payload] as number) + payload;
}
