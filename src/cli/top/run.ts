import type { AnalysisOutput } from '../../analyze/engine/output.ts';
import type { AnalysisSession, Condition } from '../../analyze/engine/session.ts';
import { contextOf } from '../../analyze/findings/detector.ts';
import { Findings } from '../../analyze/findings/findings.ts';
import type { FlowFacts } from '../../analyze/flow/flow-facts.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import { InterfaceCounts } from './interface-counts.ts';
import { ENDED_FLOWS_KEPT, EVENTS_BUSY_RATE, EVENTS_KEPT, EVENTS_KEPT_BUSY, NAMES_KEPT } from './limits.ts';
import { PacketRing } from './packet-ring.ts';
import { Ring } from './ring.ts';
import { type KeptEvent, Shown } from './shown.ts';
import { Traces } from './traces.ts';

/** A rate of events is one of at least so many seconds. */
const RATE_SECONDS = 0.2;

/** What `w` writes. */
export interface Kept {
  readonly session: AnalysisSession;
  readonly packets: PacketRing;
  readonly counts: InterfaceCounts;
  /** What addresses are called, by cluster and address. */
  readonly names: ReadonlyMap<string, NamedAddress>;
}

export interface RunOptions {
  /** Packets come as they are captured. */
  readonly live: boolean;
  /** They are analysed on their nodes, and stay there. */
  readonly onNodes: boolean;
}

const NO_TRACES: Traces['output'] = { event: () => {}, packet: () => {}, flowEnded: () => {}, end: () => {} };

/** One analysis and what is kept of it. */
export class Run implements Kept {
  readonly session: AnalysisSession;
  readonly packets = new PacketRing();
  readonly counts = new InterfaceCounts();
  readonly names = new Map<string, NamedAddress>();
  readonly traces: Traces;
  /** Findings of all that comes: of what an expression leaves none could be proven. */
  readonly judged: Findings;
  /** What is shown now. */
  shown: Shown;
  /** performance.now() of when packets were last seen to have become more. */
  arrived = performance.now();
  readonly #all = new Ring<KeptEvent>(EVENTS_KEPT);
  readonly #ended = new Ring<FlowFacts>(ENDED_FLOWS_KEPT);
  /** What is shown without an expression: it continues while one is in use. */
  readonly #everything: Shown;
  readonly #onNodes: boolean;
  #packetsSeen = 0;
  /** Events when their rate was last looked at, and when that was. */
  #eventsSeen = 0;
  #lookedAt = performance.now();

  constructor(session: AnalysisSession, where: Condition | undefined, { live, onNodes }: RunOptions) {
    this.session = session;
    this.#onNodes = onNodes;
    this.traces = new Traces(session, live);
    this.judged = new Findings(contextOf(session));
    this.#everything = new Shown(session, undefined, this.#all, this.#ended);
    this.shown = this.#everything;
    this.show(where);
  }

  /**
   * Show what matches only: of what is kept at once, and of all that comes.
   * @returns how many events and flows of before are kept no more, and so are missing
   */
  show(where: Condition | undefined): number {
    this.shown = this.#everything;
    if (where === undefined) return 0;
    const shown = new Shown(this.session, where, new Ring(EVENTS_KEPT), new Ring(ENDED_FLOWS_KEPT));
    for (const kept of this.#all) shown.event(kept);
    for (const facts of this.#ended) shown.flowEnded(facts);
    this.shown = shown;
    return this.#all.first + this.#ended.first;
  }

  /** What the analysis reports. */
  output(): AnalysisOutput {
    const { analysis } = this.session.capture;
    // Requests are joined by what their packets show: of events alone it would be guessed.
    const traces = this.#onNodes ? NO_TRACES : this.traces.output;
    return {
      event: (event, info) => {
        traces.event(event, info);
        const { id, transport, clientHost, serverHost, clientPort, serverPort, interfaceId, sameAs } = info;
        const flow = { id, transport, clientHost, serverHost, clientPort, serverPort, interfaceId, sameAs };
        const kept = { event, flow, reportedAt: analysis.clock.now };
        this.judged.event(event, flow);
        this.#everything.event(kept);
        if (this.shown !== this.#everything) this.shown.event(kept);
      },
      named: (records) => {
        for (const record of records) {
          if (this.names.size < NAMES_KEPT) this.names.set(`${record.cluster ?? ''} ${record.address}`, record);
        }
      },
      flowEnded: (flow) => {
        traces.flowEnded(flow);
        const facts = flow.facts();
        this.judged.factsEnded(facts);
        this.#everything.flowEnded(facts);
        if (this.shown !== this.#everything) this.shown.flowEnded(facts);
      },
      end: () => traces.end(),
      packet: (packet, taken) => {
        traces.packet(packet, taken);
        this.packets.add(packet, analysis.flow);
        this.counts.add(packet.interfaceId, packet.caplen, packet.origlen);
      },
    };
  }

  /** Somebody looks. @param live packets come by themselves: lists are as long as their rate allows */
  looked(live: boolean): void {
    const now = performance.now();
    const { packets } = this.session.capture.analysis;
    if (packets !== this.#packetsSeen) this.arrived = now;
    this.#packetsSeen = packets;
    const seconds = (now - this.#lookedAt) / 1000;
    if (!live || seconds < RATE_SECONDS) return;
    const busy = (this.#all.end - this.#eventsSeen) / seconds > EVENTS_BUSY_RATE;
    this.#eventsSeen = this.#all.end;
    this.#lookedAt = now;
    for (const list of [this.#all, this.shown.events]) list.keepAtMost(busy ? EVENTS_KEPT_BUSY : EVENTS_KEPT);
  }
}
