import type { AnalysisSink, FlowInfo } from '../flow/flow-facts.ts';
import { FLOW_F64, FLOW_I32, FLOW_STRIDE } from '../flow/flow-layout.ts';
import { FlowTable } from '../flow/flow-table.ts';
import { FlowView } from '../flow/flow-view.ts';
import { IP_PROTOCOL } from '../layers/ip-protocol.ts';
import { DATAGRAM_IDLE_NS, FLOWS_MAXIMUM } from '../limits.ts';
import type { PacketView } from '../packet/packet.ts';
import { DATAGRAM_PROTOCOLS } from '../protocols/index.ts';
import type { DatagramAnalyzer, DatagramProtocol } from '../protocols/protocol.ts';
import { type AnalysisEvent, SIDE } from '../record/event.ts';
import type { Clock } from './clock.ts';

/** FLOW_I32.protocol of a flow whose datagrams no protocol wants; else the protocol's number + 1. */
const NOBODYS = -1;

/** Datagrams of a flow that are looked at before it is nobody's. */
const LOOKS_MAXIMUM = 4;

/** Every flow but TCP's: UDP with the protocols on it, and what has no ports. */
export class DatagramFlows {
  readonly table: FlowTable;
  readonly #sink: AnalysisSink;
  readonly #view: FlowView;
  readonly #analyzers: DatagramAnalyzer[];

  constructor(clock: Clock, sink: AnalysisSink, detail: boolean, showSecrets: boolean) {
    this.#sink = sink;
    this.table = new FlowTable(FLOW_STRIDE, FLOWS_MAXIMUM, (slot) => this.#ended(slot));
    this.#view = new FlowView(this.table, (slot) => this.#protocol(slot)?.name);
    const emit = (slot: number, event: AnalysisEvent) => sink.event(event, this.#view.at(slot));
    const context = {
      get now() {
        return clock.now;
      },
      detail,
      showSecrets,
      emit,
    };
    this.#analyzers = DATAGRAM_PROTOCOLS.map((protocol) => protocol.create(context));
  }

  /** A flow's first packet. */
  opened(slot: number, direction: number, packet: PacketView): void {
    const base = this.table.base(slot);
    const towardsServer = packet.sourcePort >= packet.destinationPort;
    this.table.ints[base + FLOW_I32.client] = towardsServer ? direction : 1 - direction;
  }

  /** A packet of a flow. @returns whether a protocol took it */
  packet(slot: number, direction: number, packet: PacketView): boolean {
    if (packet.ipProtocol !== IP_PROTOCOL.udp || packet.transportOffset < 0 || packet.udpLength < 8) return false;
    const { ints } = this.table;
    const base = this.table.base(slot);
    let protocol = ints[base + FLOW_I32.protocol] as number;
    const { bytes, cursor } = packet;
    const end = Math.max(cursor, packet.end);
    if (protocol <= 0) {
      if (protocol === NOBODYS) return false;
      protocol = this.#recognise(base, direction, packet, bytes, cursor, end);
      if (protocol <= 0) return false;
    }
    const side = (this.table.ints[base + FLOW_I32.client] as number) === direction ? SIDE.client : SIDE.server;
    const analyzer = this.#analyzers[protocol - 1] as DatagramAnalyzer;
    analyzer.datagram(slot, side, bytes, cursor, end, packet.payloadLength);
    return true;
  }

  mayExpire = (_table: FlowTable, slot: number, now: number): boolean =>
    now - (this.table.doubles[(this.table.base(slot) >> 1) + FLOW_F64.last] as number) > DATAGRAM_IDLE_NS;

  /** Flows that have not ended; each view is valid during its call. */
  eachOpen(visit: (flow: FlowInfo) => void): void {
    for (const slot of this.table.slots()) visit(this.#view.at(slot));
  }

  end(): void {
    for (const analyzer of this.#analyzers) analyzer.end();
    this.table.clear();
  }

  /** A notice about a flow, such as an ICMP error that quotes it. */
  tell(slot: number, event: AnalysisEvent): void {
    this.#sink.event(event, this.#view.at(slot));
  }

  /** @returns the protocol's number + 1, or NOBODYS, or 0 while undecided */
  #recognise(
    base: number,
    direction: number,
    packet: PacketView,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): number {
    const { ints } = this.table;
    if (end <= start) return 0;
    for (let number = 0; number < DATAGRAM_PROTOCOLS.length; number += 1) {
      const protocol = DATAGRAM_PROTOCOLS[number] as DatagramProtocol;
      const hinted = protocol.ports.includes(packet.sourcePort) || protocol.ports.includes(packet.destinationPort);
      const likeness = protocol.probe(bytes, start, end, hinted);
      if (likeness !== 'client' && likeness !== 'server') continue;
      ints[base + FLOW_I32.protocol] = number + 1;
      ints[base + FLOW_I32.client] = likeness === 'client' ? direction : 1 - direction;
      return number + 1;
    }
    const looked = (ints[base + FLOW_I32.packets] as number) + (ints[base + FLOW_I32.packets + 1] as number);
    if (looked >= LOOKS_MAXIMUM) ints[base + FLOW_I32.protocol] = NOBODYS;
    return looked >= LOOKS_MAXIMUM ? NOBODYS : 0;
  }

  #protocol(slot: number): DatagramProtocol | undefined {
    return DATAGRAM_PROTOCOLS[(this.table.ints[this.table.base(slot) + FLOW_I32.protocol] as number) - 1];
  }

  #ended(slot: number): void {
    const protocol = this.table.ints[this.table.base(slot) + FLOW_I32.protocol] as number;
    if (protocol > 0) this.#analyzers[protocol - 1]?.endFlow(slot);
    this.#sink.flowEnded(this.#view.at(slot));
  }
}
