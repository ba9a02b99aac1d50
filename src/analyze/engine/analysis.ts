import { LINK_TYPE } from '../../wire/link-type.ts';
import { i32, u8 } from '../bytes.ts';
import type { AnalysisSink, FlowInfo } from '../flow/flow-facts.ts';
import { FLOW_F64, FLOW_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { KIND_IPV6 } from '../flow/flow-view.ts';
import { Hosts } from '../identity/hosts.ts';
import { IP_PROTOCOL } from '../layers/ip-protocol.ts';
import { STOP } from '../layers/layer.ts';
import { quoted } from '../packet/icmp-quote.ts';
import { PacketView } from '../packet/packet.ts';
import { icmpNotice } from '../record/icmp-notice.ts';
import { TcpConnections } from '../tcp/connections.ts';
import { Clock } from './clock.ts';
import { DatagramFlows } from './datagrams.ts';

/** Packets after which idle flows are looked for, and slots looked at then. */
const SWEEP_PACKETS = 256;
const SWEEP_SLOTS = 256;

/** RFC 9293, section 3.1: without options. */
const TCP_FIXED_HEADER = 20;

export interface AnalysisOptions {
  /** Someone looks at single events: everything is decoded. Without, only what the summary needs. */
  readonly detail: boolean;
  readonly showSecrets: boolean;
}

/** What became of a packet. */
export const DISPOSITION = {
  /** Octets or signals of a flow whose protocol is decoded, or may yet be. */
  decoded: 0,
  /** Nothing above its layers is known. */
  opaque: 1,
  /** The same packet as one seen before at another vantage point. */
  copy: 2,
} as const;
export type Disposition = (typeof DISPOSITION)[keyof typeof DISPOSITION];

/**
 * From packets to events: finds each packet's flow, follows TCP, hands octets in order to the protocols, and tells the
 * sink what they find.
 */
export class Analysis {
  readonly clock = new Clock();
  readonly hosts = new Hosts();
  /** Packets looked at; of those, seen at a second vantage point. */
  packets = 0;
  copies = 0;
  /** The flow of the packet last taken, as FlowInfo.id counts; -1 where it has none. */
  flow = -1;
  readonly #tcp: TcpConnections;
  readonly #datagrams: DatagramFlows;
  readonly #sink: AnalysisSink;
  readonly #quote = new PacketView();
  #flows = 0;
  /** The key last made. */
  #a = 0;
  #b = 0;
  #ports = 0;
  #kind = 0;

  constructor(sink: AnalysisSink, options: AnalysisOptions) {
    this.#sink = sink;
    this.#tcp = new TcpConnections(this.clock, sink, options.detail, options.showSecrets);
    this.#datagrams = new DatagramFlows(this.clock, sink, options.detail, options.showSecrets);
  }

  /** Flows that ended early because a table was full, and holes that were given up. */
  get bounds(): { readonly evicted: number; readonly gaps: number; readonly otherHosts: number } {
    return {
      evicted: this.#tcp.table.evicted + this.#datagrams.table.evicted,
      gaps: this.#tcp.reassembly.gaps,
      otherHosts: this.hosts.overflowed,
    };
  }

  /** Take a decoded packet. */
  packet(packet: PacketView): Disposition {
    this.packets += 1;
    this.flow = -1;
    const { clock } = this;
    clock.set(packet.timeHigh, packet.timeLow);
    this.#tcp.reassembly.passed(clock.now);
    if ((this.packets & (SWEEP_PACKETS - 1)) === 0) this.#sweep();
    if (packet.ipVersion === 0 || packet.addressLength === 0 || packet.ipProtocol < 0) return DISPOSITION.opaque;
    const isTcp = packet.ipProtocol === IP_PROTOCOL.tcp && packet.transportOffset >= 0;
    // What is above a header cut short is not known: its flags and numbers would be invented.
    if (packet.stopped !== STOP.none && (isTcp ? !stepOverCutOptions(packet) : packet.sourcePort < 0)) {
      return DISPOSITION.opaque;
    }
    const { bytes } = packet;
    const direction = this.#key(packet, isTcp);
    const flows = isTcp ? this.#tcp : this.#datagrams;
    const { table } = flows;
    const a = this.#a;
    const b = this.#b;
    const ports = this.#ports;
    const kind = this.#kind;
    let slot = table.find(a, b, ports, kind);
    if (slot >= 0 && isTcp && this.#tcp.isNewConnection(slot, direction, packet)) {
      table.remove(slot);
      slot = -1;
    }
    if (slot < 0) {
      slot = table.add(a, b, ports, kind, this.#flows);
      this.#flows += 1;
      this.#begin(table, slot, direction, packet);
      flows.opened(slot, direction, packet);
      this.#sink.flowBegan?.(packet);
    }
    const vantage =
      packet.linkType === LINK_TYPE.linuxSll2 && packet.caplen >= 20
        ? ((packet.interfaceId + 1) << 16) ^ i32(bytes, packet.offset + 4)
        : (packet.interfaceId + 1) << 16;
    const counted = this.#count(table, slot, direction, packet, vantage);
    if (!counted) this.copies += 1;
    this.flow = (table.ints[table.base(slot) + FLOW_I32.id] as number) - 1;
    if (isTcp) {
      const known = this.#tcp.packet(slot, direction, packet, counted);
      return counted ? (known ? DISPOSITION.decoded : DISPOSITION.opaque) : DISPOSITION.copy;
    }
    if (!counted) return DISPOSITION.copy;
    if (packet.icmpType >= 0) return this.#icmp(packet) ? DISPOSITION.decoded : DISPOSITION.opaque;
    return this.#datagrams.packet(slot, direction, packet) ? DISPOSITION.decoded : DISPOSITION.opaque;
  }

  /** Make the key of a packet's flow. @returns its direction: 0 from endpoint a */
  #key(packet: PacketView, isTcp: boolean): 0 | 1 {
    const { bytes, addressLength: length } = packet;
    let source: number;
    let destination: number;
    let kind = isTcp ? IP_PROTOCOL.tcp : packet.ipProtocol;
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
   */
  fragment(packet: PacketView, isCopy: boolean): Disposition {
    this.packets += 1;
    this.flow = -1;
    this.clock.set(packet.timeHigh, packet.timeLow);
    if (!isCopy) return DISPOSITION.opaque;
    this.copies += 1;
    return DISPOSITION.copy;
  }

  /** Flows that have not ended, TCP's first; each view is valid during its call. */
  eachOpenFlow(visit: (flow: FlowInfo) => void): void {
    this.#tcp.eachOpen(visit);
    this.#datagrams.eachOpen(visit);
  }

  /** No more packets come: every flow ends. */
  end(): void {
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
    const slot = flows.table.find(this.#a, this.#b, this.#ports, this.#kind);
    this.flow = flow;
    if (slot < 0 || direction < 0) return false;
    flows.tell(slot, icmpNotice(packet, this.clock.now));
    return true;
  }

  #begin(table: FlowTable, slot: number, direction: number, packet: PacketView): void {
    const source = this.hosts.number(packet.bytes, packet.sourceAddress, packet.addressLength);
    const destination = this.hosts.number(packet.bytes, packet.destinationAddress, packet.addressLength);
    const base = table.base(slot);
    const { ints, doubles } = table;
    ints[base + FLOW_I32.hosts + direction] = source;
    ints[base + FLOW_I32.hosts + 1 - direction] = destination;
    ints[base + FLOW_I32.interfaceId] = packet.interfaceId;
    doubles[(base >> 1) + FLOW_F64.first] = this.clock.now;
  }

  /** @returns whether the packet counts: it was seen at the vantage point that first saw its direction */
  #count(table: FlowTable, slot: number, direction: number, packet: PacketView, vantage: number): boolean {
    const { ints, doubles } = table;
    const base = table.base(slot);
    const half = base >> 1;
    doubles[half + FLOW_F64.last] = this.clock.now;
    ints[base + FLOW_I32.passed] = 0;
    const first = ints[base + FLOW_I32.vantage + direction] as number;
    if (first === 0) ints[base + FLOW_I32.vantage + direction] = vantage;
    else if (first !== vantage) return false;
    const own = half + direction;
    ints[base + FLOW_I32.packets + direction] = (ints[base + FLOW_I32.packets + direction] as number) + 1;
    doubles[own + FLOW_F64.bytes] = (doubles[own + FLOW_F64.bytes] as number) + (packet.wireEnd - packet.networkOffset);
    doubles[own + FLOW_F64.payload] = (doubles[own + FLOW_F64.payload] as number) + packet.payloadLength;
    return true;
  }

  #sweep(): void {
    const { now } = this.clock;
    this.#tcp.table.sweep(SWEEP_SLOTS, now, this.#tcp.mayExpire);
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
