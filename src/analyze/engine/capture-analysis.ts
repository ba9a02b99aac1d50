import { clusterOf } from '../../wire/capture-cluster.ts';
import type { CaptureInterface } from '../../wire/capture-interface.ts';
import { CaptureFramer, type CaptureHandlers } from '../../wire/capture-read.ts';
import type { AddressNames } from '../../wire/name-resolution-read.ts';
import type { TimedState } from '../../wire/network-state.ts';
import { BLOCK } from '../../wire/pcapng.ts';
import type { AnalysisSink } from '../flow/flow-facts.ts';
import { FoundReader } from '../found/found-reader.ts';
import { added, type FoundTotals, NO_TOTALS } from '../found/totals.ts';
import { interfaceIdentity } from '../identity/identity.ts';
import { DIRECTION } from '../layers/layer.ts';
import { decodeCommonPacket } from '../packet/common-packet.ts';
import { Fragments } from '../packet/fragments.ts';
import { decodePacket, PacketView } from '../packet/packet.ts';
import { Analysis, DISPOSITION, type Disposition } from './analysis.ts';
import type { AnalysisOptions } from './analysis-options.ts';

/** What may be looked at besides events, while a capture is analysed. */
export interface PacketObserver {
  interface?(id: number, described: CaptureInterface): void;
  /** @param cluster of a capture of several clusters: whose names they are */
  names?(names: readonly AddressNames[], cluster?: string): void;
  state?(state: TimedState): void;
  /** Secrets of TLS connections: lines of a key log. */
  secrets?(lines: string): void;
  /** Every packet, decoded; the view is valid during the call. Called after its events. */
  packet?(packet: PacketView, taken: Disposition): void;
}

/** Decides which packets are looked at. */
export interface PacketChoice {
  interface(id: number, described: CaptureInterface): void;
  wants(
    bytes: Uint8Array,
    offset: number,
    caplen: number,
    origlen: number,
    timeHigh: number,
    timeLow: number,
    interfaceId: number,
  ): boolean;
}

/** The bytes of a capture file, cut anywhere, analysed: framing, layers, flows, protocols. */
export class CaptureAnalysis {
  readonly analysis: Analysis;
  readonly framer: CaptureFramer;
  readonly fragments = new Fragments();
  /** Bytes of packets as captured, and packets of which the capture kept a part only. */
  bytes = 0;
  truncated = 0;
  /** What analyses beside agents found, and what they counted. */
  readonly found: FoundReader;
  foundTotals: FoundTotals = NO_TOTALS;
  /**
   * Called when a fragmented datagram is whole or given up, before its last fragment is handed out as a packet: with the number that
   * `waitsWith` had for its other fragments, and whether events stand for them.
   */
  onDatagram: ((number: number, isKnown: boolean) => void) | undefined;

  constructor(
    sink: AnalysisSink,
    options: AnalysisOptions,
    observer: PacketObserver = {},
    choice?: PacketChoice | undefined,
  ) {
    const analysis = new Analysis(sink, options);
    this.analysis = analysis;
    this.fragments.onGivenUp = (datagram) => this.onDatagram?.(heldAs(datagram), false);
    const view = new PacketView();
    const linkTypes: number[] = [];
    /** By interface: the number of its cluster; only once one names its cluster. */
    const clusters: number[] = [];
    const interfaceNames: string[] = [];
    const nodeNames: string[] = [];
    this.found = new FoundReader(
      {
        hosts: analysis.hosts,
        now: () => analysis.clock.now,
        newFlow: (number) => analysis.newFlow(number),
        interfaceName: (id) => interfaceNames[id] ?? '',
        nodeName: (id) => nodeNames[id] ?? '',
        placeOf: (id, device) => analysis.places.ofInterface(id) ^ device,
        mayCopy: (id) => analysis.places.mayCopy(linkTypes[id] ?? 0),
        counted: (more) => this.#counted(more),
      },
      sink,
    );
    const onPacket = observer.packet?.bind(observer);
    const handlers: CaptureHandlers = {
      interface: (id, described) => {
        linkTypes[id] = described.linkType;
        interfaceNames[id] = described.name;
        nodeNames[id] = interfaceIdentity(described.name, described.description).node ?? '';
        analysis.addInterface(id, described);
        const cluster = analysis.hosts.clusters.number(clusterOf(described.description));
        if (cluster > 0 || clusters.length > 0) clusters[id] = cluster;
        choice?.interface(id, described);
        observer.interface?.(id, described);
      },
      names: (names, cluster) => observer.names?.(names, cluster),
      statistics: (id, { droppedByKernel, received, captured, endTime }) => {
        // What was received and not yet written is missing only at the end.
        if (droppedByKernel > 0 || (endTime !== undefined && captured < received)) analysis.places.missed(id);
      },
      state: (state) => observer.state?.(state),
      found: (json, timeHigh, timeLow, interfaceId, stream) => {
        analysis.clock.set(timeHigh, timeLow);
        analysis.inCluster(clusters[interfaceId] ?? 0);
        this.found.take({ stream, json });
      },
      secrets: (lines) => observer.secrets?.(lines),
      block: (block) => {
        if (block.type === BLOCK.sectionHeader) analysis.places.section();
      },
      packet: (bytes, offset, caplen, origlen, timeHigh, timeLow, interfaceId, flags) => {
        if (choice?.wants(bytes, offset, caplen, origlen, timeHigh, timeLow, interfaceId) === false) return;
        this.bytes += caplen;
        if (caplen < origlen) this.truncated += 1;
        const inbound = flags & 3;
        const direction = inbound === 1 ? DIRECTION.inbound : inbound === 2 ? DIRECTION.outbound : DIRECTION.unknown;
        view.set(
          bytes,
          offset,
          caplen,
          origlen,
          timeHigh,
          timeLow,
          interfaceId,
          linkTypes[interfaceId] ?? 0,
          direction,
        );
        if (clusters.length > 0) analysis.inCluster(clusters[interfaceId] ?? 0);
        if (!decodeCommonPacket(view)) decodePacket(view);
        const taken = view.moreFragments || view.fragmentOffset > 0 ? this.#fragment(view) : analysis.packet(view);
        onPacket?.(view, taken);
      },
    };
    this.framer = new CaptureFramer(handlers);
  }

  #counted(more: FoundTotals): void {
    const { analysis, fragments } = this;
    analysis.packets += more.packets;
    analysis.copies += more.copies;
    fragments.incomplete += more.incomplete;
    fragments.evicted += more.fragmentsEvicted;
    this.bytes += more.bytes;
    this.truncated += more.truncated;
    this.foundTotals = added(this.foundTotals, more);
    analysis.elsewhere = this.foundTotals;
  }

  #fragment(view: PacketView): Disposition {
    const { duplicates } = this.fragments;
    const whole = this.fragments.add(view);
    const { waiting, completed } = this.fragments;
    const taken =
      whole === undefined
        ? this.analysis.fragment(view, this.fragments.duplicates > duplicates, waiting >= 0)
        : this.analysis.packet(whole);
    // A copy's events were those of the datagram that it is a copy of.
    const isKnown = taken === DISPOSITION.decoded || taken === DISPOSITION.copy;
    if (completed >= 0) this.onDatagram?.(heldAs(completed), whole !== undefined && isKnown);
    return taken;
  }

  /**
   * Of an undecided packet: the number of what it waits with, its flow's or, of a fragment, a negative one that stands for its
   * datagram.
   */
  get waitsWith(): number {
    return this.analysis.flow >= 0 ? this.analysis.flow : heldAs(this.fragments.waiting);
  }

  /** @throws KsnoopError as CaptureFramer.push */
  push(chunk: Uint8Array): void {
    this.framer.push(chunk);
  }

  /** No more comes: every flow ends. */
  end(): void {
    this.fragments.end();
    this.analysis.end();
  }
}

/** The number that stands for a fragmented datagram where a flow's would stand: -1 is no flow's. */
function heldAs(datagram: number): number {
  return -2 - datagram;
}
