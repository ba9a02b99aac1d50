import type { CaptureInterface } from '../../wire/capture-interface.ts';
import { i32, u8 } from '../bytes.ts';
import { countPacket } from '../flow/count-packet.ts';
import type { AnalysisSink, FlowInfo } from '../flow/flow-facts.ts';
import { FLOW_F64, FLOW_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { CLUSTER_SHIFT, KIND_IPV6 } from '../flow/flow-view.ts';
import type { FlowFollower } from '../flow/follower.ts';
import { type FlowKey, mayBeRedirected, type RedirectedHalf } from '../flow/redirects.ts';
import { Hosts } from '../identity/hosts.ts';
import { IP_PROTOCOL } from '../layers/ip-protocol.ts';
import { STOP } from '../layers/layer.ts';
import { CLOSED_PRESSURE, FOUND_AHEAD } from '../limits.ts';
import { quoted } from '../packet/icmp-quote.ts';
import { PacketView } from '../packet/packet.ts';
import { icmpNotice, isRejection } from '../record/icmp-notice.ts';
import { isOfAnother } from '../tcp/another-connection.ts';
import { TcpConnections } from '../tcp/connections.ts';
import { mayExpire, mayGoEarly } from '../tcp/expiry.ts';
import { TCP } from '../tcp/flags.ts';
import { setOverheard } from '../tcp/overheard.ts';
import type { AnalysisOptions } from './analysis-options.ts';
import { Clock } from './clock.ts';
import { DatagramFlows } from './datagrams.ts';
import { Places } from './places.ts';
import { RecentDatagrams, SEEN_BEFORE } from './recent-datagrams.ts';
import { isRepeated } from './repeated-datagram.ts';
import { opposite, Vantages } from './vantages.ts';

/** Packets after which idle flows are looked for, and slots looked at then. */
const SWEEP_PACKETS = 256;
const SWEEP_SLOTS = 256;

/** Slots looked at for closed connections when one is added to many. */
const CLOSED_PRESSURE_SLOTS = 8;

/** RFC 9293, section 3.1: without options. */
const TCP_FIXED_HEADER = 20;

/** What became of a packet. */
export const DISPOSITION = {
  /** Bytes or signals of a flow whose protocol is decoded, or may yet be. */
  decoded: 0,
  /** Nothing above its layers is known. */
  opaque: 1,
  /** The same packet as one seen before, or one at a place that does not count for its flow. */
  copy: 2,
  /**
   * Bytes of a connection whose protocol is not recognised yet, or a fragment of a datagram that is not whole yet: a later packet
   * of it, or its end, tells.
   */
  undecided: 3,
} as const;
export type Disposition = (typeof DISPOSITION)[keyof typeof DISPOSITION];

/** Flows that ended early because a table was full, holes that were given up, and addresses without room. */
export interface Bounds {
  readonly evicted: number;
  readonly gaps: number;
  readonly otherHosts: number;
}

/**
 * From packets to events: finds each packet's flow, follows TCP, passes bytes in order to the protocols, and tells the
 * sink what they find.
 */
export class Analysis {
  readonly clock = new Clock();
  readonly hosts = new Hosts();
  /** Packets looked at; of those, copies of packets that were captured before, at the same place or another. */
  packets = 0;
  copies = 0;
  /** The flow of the packet last taken, as FlowInfo.id counts; -1 where it has none. */
  flow = -1;
  readonly places = new Places();
  /** What analyses beside agents counted. */
  elsewhere: Bounds = { evicted: 0, gaps: 0, otherHosts: 0 };
  readonly #recent = new RecentDatagrams();
  readonly #tcp: TcpConnections;
  readonly #datagrams: DatagramFlows;
  readonly #vantages: Vantages;
  readonly #sink: AnalysisSink;
  readonly #quote = new PacketView();
  #flows = 0;
  /** The key last made. */
  #a = 0;
  #b = 0;
  #ports = 0;
  #kind = 0;
  /** Part of every key: the cluster of the packets, above the bits of the kind; 0 unless a capture names its clusters. */
  #cluster = 0;

  constructor(sink: AnalysisSink, options: AnalysisOptions) {
    this.#sink = sink;
    const { clock, hosts, places } = this;
    this.#tcp = new TcpConnections({ clock, hosts, places }, sink, options);
    this.#datagrams = new DatagramFlows({ clock, hosts, places: this.places }, sink, options);
    this.#vantages = new Vantages({
      clock,
      places,
      tcp: this.#tcp,
      datagrams: this.#datagrams,
      recent: this.#recent,
      sink,
      recounted: (packets) => {
        this.copies -= packets;
      },
    });
  }

  /** An interface of the capture. @param id counted over all sections, from 0 */
  addInterface(id: number, described: Pick<CaptureInterface, 'name' | 'description'>): void {
    if (this.places.add(id, described)) this.#tcp.placeAdded();
  }

  /** From now on everything is decoded; of what is under way the part that is still to come. */
  wantDetail(): void {
    this.#tcp.detail = true;
    this.#datagrams.detail = true;
  }

  /** TCP retransmissions found since the last call. */
  takeRetransmissions(): number {
    return this.#tcp.takeRetransmissions();
  }

  /** One flow's bytes are handed out as they are found; before the first packet. */
  follow(follower: FlowFollower): void {
    this.#tcp.follower = follower;
    this.#datagrams.follower = follower;
  }

  get bounds(): Bounds {
    return {
      evicted: this.#tcp.evicted + this.#datagrams.table.evicted + this.elsewhere.evicted,
      gaps: this.#tcp.reassembly.gaps + this.elsewhere.gaps,
      otherHosts: this.hosts.overflowed + this.elsewhere.otherHosts,
    };
  }

  /** The packets that follow are of a cluster, by its number in `hosts.clusters`: equal addresses in two are not the same hosts. */
  inCluster(number: number): void {
    this.hosts.cluster = number;
    this.#cluster = number << CLUSTER_SHIFT;
  }

  /** Take a decoded packet. */
  packet(packet: PacketView): Disposition {
    this.packets += 1;
    this.flow = -1;
    const { clock } = this;
    clock.set(packet.timeHigh, packet.timeLow);
    this.#tcp.reassembly.passed(clock.now);
    if (this.#vantages.isWaiting) this.#vantages.passed(clock.now);
    if ((this.packets & (SWEEP_PACKETS - 1)) === 0) this.#sweep();
    if (packet.ipVersion === 0 || packet.addressLength === 0 || packet.ipProtocol < 0) return DISPOSITION.opaque;
    const isTcp = packet.ipProtocol === IP_PROTOCOL.tcp && packet.transportOffset >= 0;
    // What is above a header cut short is not known: its flags and numbers would be invented.
    if (packet.stopped !== STOP.none && (isTcp ? !stepOverCutOptions(packet) : packet.sourcePort < 0)) {
      return DISPOSITION.opaque;
    }
    const direction = this.#key(packet, isTcp);
    return isTcp ? this.#segment(packet, direction) : this.#datagram(packet, direction);
  }

  /** A TCP segment whose key was made. Apart from datagrams: what is called for every packet has one kind of flow only. */
  #segment(packet: PacketView, keyed: 0 | 1): Disposition {
    const tcp = this.#tcp;
    const { table } = tcp;
    const place = this.places.of(packet);
    let slot = table.find(this.#a, this.#b, this.#ports, this.#kind);
    const half = slot < 0 ? this.#half(tcp, keyed, packet) : undefined;
    if (half !== undefined) slot = half.slot;
    const direction = half?.flips === true ? opposite(keyed) : keyed;
    if (slot >= 0 && (packet.tcpFlags & TCP.syn) !== 0 && tcp.handshakes.isNewConnection(slot, direction, packet)) {
      table.remove(slot);
      slot = -1;
    }
    if (slot < 0) {
      if (table.count > CLOSED_PRESSURE) table.sweep(CLOSED_PRESSURE_SLOTS, this.clock.now, mayGoEarly);
      slot = this.#open(tcp, keyed, packet, place);
    }
    const base = table.base(slot);
    const { ints } = table;
    this.flow = (ints[base + FLOW_I32.id] as number) - 1;
    // Of most captures no flow is seen at a second place; to read behind an array's end is slow.
    const isOnePlace = ints[base + FLOW_I32.vantage + direction] === place && slot >= tcp.sightings.length;
    if (isOnePlace && !tcp.comparesLegs && tcp.plainPacket(slot, direction, packet, place)) {
      if (tcp.opaque) return DISPOSITION.opaque;
      return tcp.undecided ? DISPOSITION.undecided : DISPOSITION.decoded;
    }
    if (isOfAnother(table, slot, direction, packet)) {
      table.remove(slot);
      return this.#segment(packet, keyed);
    }
    if (
      (!isOnePlace && !this.#vantages.counts(slot, direction, packet, place, SEEN_BEFORE.no, true)) ||
      tcp.isCopy(slot, direction, packet)
    ) {
      this.copies += 1;
      return DISPOSITION.copy;
    }
    countPacket(table, base, direction, packet, this.clock.now, packet.payloadLength);
    if (!tcp.packet(slot, direction, packet)) return DISPOSITION.opaque;
    return tcp.undecided ? DISPOSITION.undecided : DISPOSITION.decoded;
  }

  /**
   * The flow of which the key last made, which the table does not have, is one half.
   * @param direction the packet's, by the key
   */
  #half(flows: TcpConnections | DatagramFlows, direction: 0 | 1, packet: PacketView): RedirectedHalf | undefined {
    const { redirects } = flows;
    const known = redirects.find(this.#a, this.#b, this.#ports, this.#kind);
    return known ?? (redirects.isWaiting ? redirects.joined(this.#keyMade(), direction, packet) : undefined);
  }

  #keyMade(): FlowKey {
    return { a: this.#a, b: this.#b, ports: this.#ports, kind: this.#kind };
  }

  /** Any other packet whose key was made. */
  #datagram(packet: PacketView, keyed: 0 | 1): Disposition {
    const { table, sightings } = this.#datagrams;
    const place = this.places.of(packet);
    const seen =
      this.places.mayCopy(packet.linkType) && (packet.udpLength > 0 || packet.ipProtocol !== IP_PROTOCOL.udp)
        ? this.#recent.look(packet, this.#flowHash(keyed), place, this.clock.now)
        : SEEN_BEFORE.no;
    let slot = table.find(this.#a, this.#b, this.#ports, this.#kind);
    const half = slot < 0 ? this.#half(this.#datagrams, keyed, packet) : undefined;
    const direction = half?.flips === true ? opposite(keyed) : keyed;
    if (half !== undefined) slot = half.slot;
    else if (slot < 0) slot = this.#open(this.#datagrams, keyed, packet, place);
    const base = table.base(slot);
    const { ints } = table;
    this.flow = (ints[base + FLOW_I32.id] as number) - 1;
    const isOnePlace = ints[base + FLOW_I32.vantage + direction] === place && slot >= sightings.length;
    const counts = isOnePlace || this.#vantages.counts(slot, direction, packet, place, seen, false);
    if (!counts || seen === SEEN_BEFORE.here || isRepeated(table, base, direction, packet, this.clock.now)) {
      this.copies += 1;
      return DISPOSITION.copy;
    }
    countPacket(table, base, direction, packet, this.clock.now, packet.payloadLength);
    if (packet.icmpType >= 0) return this.#icmp(packet) ? DISPOSITION.decoded : DISPOSITION.opaque;
    return this.#datagrams.packet(slot, direction, packet) ? DISPOSITION.decoded : DISPOSITION.opaque;
  }

  /** The flow of the key last made is a new one. @returns its slot */
  #open(flows: TcpConnections | DatagramFlows, direction: 0 | 1, packet: PacketView, place: number): number {
    const { table } = flows;
    const slot = table.add(this.#a, this.#b, this.#ports, this.#kind, this.#flows);
    this.#flows += 1;
    this.#begin(table, slot, direction, packet, place);
    flows.opened(slot, direction, packet);
    if (packet.sourcePort >= 0 && mayBeRedirected(packet))
      flows.redirects.opened(slot, this.#keyMade(), direction, packet);
    if (flows === this.#tcp && packet.isForOthers && this.places.isPod(packet.interfaceId))
      setOverheard(table, slot, true);
    this.#sink.flowBegan?.(packet);
    return slot;
  }

  /** Make the key of a packet's flow. @returns its direction: 0 from endpoint a */
  #key(packet: PacketView, isTcp: boolean): 0 | 1 {
    const { bytes, addressLength: length } = packet;
    let source: number;
    let destination: number;
    let kind = (isTcp ? IP_PROTOCOL.tcp : packet.ipProtocol) | this.#cluster;
    if (length === 4) {
      source = i32(bytes, packet.sourceAddress);
      destination = i32(bytes, packet.destinationAddress);
    } else {
      source = this.hosts.number(bytes, packet.sourceAddress, length);
      destination = this.hosts.number(bytes, packet.destinationAddress, length);
      kind |= KIND_IPV6;
    }
    const sourcePort = packet.sourcePort < 0 ? 0 : packet.sourcePort;
    const destinationPort = packet.destinationPort < 0 ? 0 : packet.destinationPort;
    const forwards = source < destination || (source === destination && sourcePort <= destinationPort);
    this.#a = forwards ? source : destination;
    this.#b = forwards ? destination : source;
    this.#ports = forwards ? (sourcePort << 16) | destinationPort : (destinationPort << 16) | sourcePort;
    this.#kind = kind;
    return forwards ? 0 : 1;
  }

  /**
   * A fragment that does not complete its datagram: nothing above IP is looked at.
   * @param isCopy the same fragment came before
   * @param isWaiting its datagram may yet be put together
   */
  fragment(packet: PacketView, isCopy: boolean, isWaiting: boolean): Disposition {
    this.packets += 1;
    this.flow = -1;
    this.clock.set(packet.timeHigh, packet.timeLow);
    if (!isCopy) return isWaiting ? DISPOSITION.undecided : DISPOSITION.opaque;
    this.copies += 1;
    return DISPOSITION.copy;
  }

  /**
   * The number of one more flow, which another analysis follows.
   * @param number that it has there, and has here as well unless that is far from those before: no other flow has it
   */
  newFlow(number = this.#flows): number {
    const own = number >= 0 && number < this.#flows + FOUND_AHEAD ? number : this.#flows;
    this.#flows = Math.max(this.#flows, own + 1);
    return own;
  }

  /** Flows that have not ended, TCP's first; each view is valid during its call. */
  eachOpenFlow(visit: (flow: FlowInfo) => void): void {
    this.#tcp.eachOpen(visit);
    this.#datagrams.eachOpen(visit);
  }

  /** No more packets come: every flow ends. */
  end(): void {
    this.#vantages.end();
    this.#datagrams.end();
    this.#tcp.end();
  }

  /** An error is an event of the flow that it quotes. @returns whether there is such a flow */
  #icmp(packet: PacketView): boolean {
    const quote = this.#quote;
    if (!quoted(packet, quote) || quote.sourcePort < 0) return false;
    const flow = this.flow;
    const isTcp = quote.ipProtocol === IP_PROTOCOL.tcp;
    const flows = isTcp ? this.#tcp : this.#datagrams;
    const direction = this.#key(quote, isTcp);
    const { table, redirects } = flows;
    const found = table.find(this.#a, this.#b, this.#ports, this.#kind);
    const slot = found >= 0 ? found : (redirects.find(this.#a, this.#b, this.#ports, this.#kind)?.slot ?? -1);
    this.flow = flow;
    if (slot < 0 || direction < 0) return false;
    const notice = icmpNotice(packet, this.clock.now);
    flows.icmp(slot, notice, isRejection(packet));
    return true;
  }

  #flowHash(direction: number): number {
    return (Math.imul(this.#a ^ Math.imul(this.#b, 0x9e3779b1), 0x85ebca6b) ^ this.#ports ^ this.#cluster) + direction;
  }

  #begin(table: FlowTable, slot: number, direction: number, packet: PacketView, place: number): void {
    const source = this.hosts.number(packet.bytes, packet.sourceAddress, packet.addressLength);
    const destination = this.hosts.number(packet.bytes, packet.destinationAddress, packet.addressLength);
    const base = table.base(slot);
    const { ints, doubles } = table;
    ints[base + FLOW_I32.hosts + direction] = source;
    ints[base + FLOW_I32.hosts + 1 - direction] = destination;
    ints[base + FLOW_I32.interfaceId] = packet.interfaceId;
    ints[base + FLOW_I32.vantage] = place;
    ints[base + FLOW_I32.vantage + 1] = place;
    doubles[(base >> 1) + FLOW_F64.first] = this.clock.now;
  }

  #sweep(): void {
    const { now } = this.clock;
    this.#tcp.table.sweep(SWEEP_SLOTS, now, mayExpire);
    this.#datagrams.table.sweep(SWEEP_SLOTS, now, this.#datagrams.mayExpire);
  }
}

/**
 * Where the capture cut TCP's options the segment's slot and length are known all the same.
 * @returns whether that is why decoding stopped; then the packet's cursor is behind its header, past its end
 */
function stepOverCutOptions(packet: PacketView): boolean {
  const { transportOffset, bytes } = packet;
  const header = transportOffset + TCP_FIXED_HEADER <= packet.end ? (u8(bytes, transportOffset + 12) >> 4) * 4 : 0;
  if (packet.stopped !== STOP.truncated || header < TCP_FIXED_HEADER) return false;
  packet.tcpOptionsLength = packet.end - transportOffset - TCP_FIXED_HEADER;
  packet.cursor = transportOffset + header;
  return true;
}
