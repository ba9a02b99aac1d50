import type { CaptureInterface } from '../../wire/capture-interface.ts';
import { CaptureFramer, type CaptureHandlers } from '../../wire/capture-read.ts';
import type { AddressNames } from '../../wire/name-resolution-read.ts';
import type { TimedState } from '../../wire/network-state.ts';
import { BLOCK } from '../../wire/pcapng.ts';
import type { AnalysisSink } from '../flow/flow-facts.ts';
import { DIRECTION } from '../layers/layer.ts';
import { decodeCommonPacket } from '../packet/common-packet.ts';
import { Fragments } from '../packet/fragments.ts';
import { decodePacket, PacketView } from '../packet/packet.ts';
import { Analysis, type AnalysisOptions, type Disposition } from './analysis.ts';

/** What may be looked at besides events, while a capture is analysed. */
export interface PacketObserver {
  interface?(id: number, described: CaptureInterface): void;
  names?(names: readonly AddressNames[]): void;
  state?(state: TimedState): void;
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

  constructor(
    sink: AnalysisSink,
    options: AnalysisOptions,
    observer: PacketObserver = {},
    choice?: PacketChoice | undefined,
  ) {
    const analysis = new Analysis(sink, options);
    this.analysis = analysis;
    const view = new PacketView();
    const linkTypes: number[] = [];
    const onPacket = observer.packet?.bind(observer);
    const handlers: CaptureHandlers = {
      interface: (id, described) => {
        linkTypes[id] = described.linkType;
        analysis.places.add(id, described);
        choice?.interface(id, described);
        observer.interface?.(id, described);
      },
      names: (names) => observer.names?.(names),
      statistics: (id, { droppedByKernel, received, captured, endTime }) => {
        // What was received and not yet written is missing only at the end.
        if (droppedByKernel > 0 || (endTime !== undefined && captured < received)) analysis.places.missed(id);
      },
      state: (state) => observer.state?.(state),
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
        if (!decodeCommonPacket(view)) decodePacket(view);
        const taken = view.moreFragments || view.fragmentOffset > 0 ? this.#fragment(view) : analysis.packet(view);
        onPacket?.(view, taken);
      },
    };
    this.framer = new CaptureFramer(handlers);
  }

  #fragment(view: PacketView): Disposition {
    const { duplicates } = this.fragments;
    const whole = this.fragments.add(view);
    if (whole !== undefined) return this.analysis.packet(whole);
    return this.analysis.fragment(view, this.fragments.duplicates > duplicates);
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
