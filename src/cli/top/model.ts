import type { AnalysisOutput, AnalysisOutputKind } from '../../analyze/engine/output.ts';
import type { AnalysisSession, Condition } from '../../analyze/engine/session.ts';
import { protocolTitle } from '../../analyze/protocols/titles.ts';
import type { SummaryReport } from '../../analyze/summary/report.ts';
import type { PathStats } from '../../analyze/trace/paths.ts';
import type {
  Activity,
  CaptureState,
  EventList,
  FindingList,
  FlowList,
  HeadState,
  PacketList,
  TopModel,
} from '../../view/top/model.ts';
import { InterfaceCounts } from './interface-counts.ts';
import { keptPacket } from './kept-packet.ts';
import { EVENTS_KEPT } from './limits.ts';
import { Reading } from './reading.ts';
import { type Kept, Run } from './run.ts';

/** Where packets come from, as far as the screen shows it. */
export interface TopSource {
  readonly live: boolean;
  /** As HeadState has it. */
  readonly trouble: string | undefined;
  capture(counts: InterfaceCounts): CaptureState;
  /** Where in a file it stands, of 1; undefined for a capture. */
  readonly position: number | undefined;
  readonly reading: number | undefined;
  readonly replaying: boolean;
}

/** The screen's model: fed as an output of the analysis, read at the screen's own pace. */
export class Top implements TopModel {
  /** Makes an analysis feed this; another one takes the place of the one before. */
  readonly kind: AnalysisOutputKind = {
    detail: true,
    packets: true,
    create: ({ session }) => this.#begin(session),
  };
  /** The packets are analysed on their nodes, and stay there; set before an analysis begins. */
  onNodes = false;
  readonly #source: TopSource;
  #run: Run | undefined;
  #reading: Reading | undefined;
  #paused:
    | { readonly packets: number; readonly exchanges: number; readonly end: number; readonly time: string | undefined }
    | undefined;
  #where: { readonly text: string; readonly condition: Condition } | undefined;

  constructor(source: TopSource) {
    this.#source = source;
  }

  /** Look at what there is by now; while paused nothing changes. */
  refresh(): void {
    this.#run?.looked(this.#source.live);
    if (this.#paused === undefined) this.#reading = undefined;
  }

  /** What is shown; undefined for everything. */
  get condition(): Condition | undefined {
    return this.#where?.condition;
  }

  get isPaused(): boolean {
    return this.#paused !== undefined;
  }

  pause(on: boolean): void {
    if (on === (this.#paused !== undefined) || this.#run === undefined) return;
    if (on) {
      this.#read()?.freeze();
      const { packets, exchanges, time } = this.head;
      this.#paused = { packets, exchanges, end: this.#run.shown.events.end, time };
    } else {
      this.#paused = undefined;
      this.refresh();
    }
  }

  /**
   * Show what matches only: of what is kept at once, and of all that comes.
   * @returns how many that were found earlier are kept no more, and so are missing
   */
  show(where: { readonly text: string; readonly condition: Condition } | undefined): number {
    this.pause(false);
    this.#where = where;
    const missing = this.#run?.show(where?.condition) ?? 0;
    this.refresh();
    return missing;
  }

  get head(): HeadState {
    const run = this.#run;
    const { live, trouble, position, reading, replaying } = this.#source;
    const packets = run?.session.capture.analysis.packets ?? 0;
    const exchanges = run?.shown.exchanges ?? 0;
    const paused = this.#paused;
    const time = run === undefined || run.session.span === undefined ? undefined : this.#timeText(run);
    const filter = this.#where?.text;
    const sample = run?.session.capture.found.sample?.share;
    const head = { live, trouble, sample, position, reading, replaying, filter };
    if (paused === undefined) return { ...head, time, packets, exchanges, paused: undefined };
    const since = run?.shown.events.end ?? 0;
    return {
      ...head,
      time: paused.time,
      packets: paused.packets,
      exchanges: paused.exchanges,
      paused: {
        packets: packets - paused.packets,
        exchanges: exchanges - paused.exchanges,
        unlisted: Math.max(0, since - paused.end - EVENTS_KEPT),
      },
    };
  }

  get report(): SummaryReport | undefined {
    return this.#read()?.report;
  }

  titleOf(protocol: string): string {
    return protocolTitle(protocol) ?? protocol.toUpperCase();
  }

  activity(service: string, protocol: string): Activity | undefined {
    return this.#read()?.activity(service, protocol);
  }

  get events(): EventList {
    return this.#read()?.events ?? NO_EVENTS;
  }

  get flows(): FlowList {
    return this.#read()?.flows ?? NO_FLOWS;
  }

  get findings(): FindingList {
    const run = this.#run;
    const all = this.#read()?.findings ?? [];
    return { all, timeText: (time) => run?.session.recorder.timeText(time) ?? '' };
  }

  get paths(): readonly PathStats[] {
    return this.#read()?.paths ?? [];
  }

  get packets(): PacketList {
    const run = this.#run;
    if (run === undefined) return { ...NO_PACKETS, onNodes: this.onNodes };
    const { packets, session } = run;
    return {
      count: packets.count,
      bytes: packets.bytes,
      dropped: packets.dropped,
      onNodes: this.onNodes,
      ofFlow: (flow, maximum) =>
        packets.ofFlow(flow, maximum).map(({ view, offset }) => keptPacket(view, offset, session)),
    };
  }

  get capture(): CaptureState {
    return this.#read()?.capture ?? this.#source.capture(new InterfaceCounts());
  }

  /** What `w` writes; undefined before there is anything. */
  get kept(): Kept | undefined {
    return this.#run;
  }

  #begin(session: AnalysisSession): AnalysisOutput {
    const run = new Run(session, this.#where?.condition, { live: this.#source.live, onNodes: this.onNodes });
    this.#run = run;
    this.#paused = undefined;
    this.#reading = undefined;
    return run.output();
  }

  #read(): Reading | undefined {
    const run = this.#run;
    if (run === undefined) return undefined;
    this.#reading ??= new Reading({
      session: run.session,
      shown: run.shown,
      now: this.#now(run),
      capture: () => this.#source.capture(run.counts),
      paths: () => run.traces.paths(this.#where?.condition),
      findings: () => run.judged.list(),
    });
    return this.#reading;
  }

  /** The analysis' time by now: of a running capture it advances also without packets. */
  #now({ session, arrived }: Run): number {
    const { latest } = session.capture.analysis.clock;
    return this.#source.live ? latest + (performance.now() - arrived) * 1e6 : latest;
  }

  #timeText({ session }: Run): string {
    return session.recorder.timeText(session.capture.analysis.clock.latest);
  }
}

const NO_EVENTS: EventList = { first: 0, end: 0, at: () => undefined };
const NO_FLOWS: FlowList = {
  facts: [],
  open: 0,
  dropped: 0,
  record: () => {
    throw new RangeError('there is no flow');
  },
};
const NO_PACKETS: PacketList = { count: 0, bytes: 0, dropped: 0, onNodes: false, ofFlow: () => [] };
