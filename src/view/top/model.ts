import type { Finding } from '../../analyze/findings/finding.ts';
import type { FlowFacts } from '../../analyze/flow/flow-facts.ts';
import type { EventRecord, FlowRecord, PacketRecord } from '../../analyze/record/record.ts';
import type { SummaryReport } from '../../analyze/summary/report.ts';
import type { PathStats } from '../../analyze/trace/paths.ts';

/**
 * What the views show. All of it is of the same analysis as `-o summary` and `-o json`, and of the packets that pass
 * the expression, where one is given. While the screen is paused it answers as it was then.
 */
export interface TopModel {
  readonly head: HeadState;
  /** What was added up, as `-o summary` has it; made anew at most once per refresh. Undefined before the first packet. */
  readonly report: SummaryReport | undefined;
  /** A protocol's name for people: `http` is `HTTP`. */
  titleOf(protocol: string): string;
  /** Exchanges of the last minutes of a service as the report names it; undefined where nothing is known. */
  activity(service: string, protocol: string): Activity | undefined;
  readonly events: EventList;
  readonly flows: FlowList;
  readonly findings: FindingList;
  /** Where the time of the last requests went, by route and hop, as `-o trace` has it; made when it is read. */
  readonly paths: readonly PathStats[];
  readonly packets: PacketList;
  readonly capture: CaptureState;
}

/** The line above the views. */
export interface HeadState {
  /** Packets still come, by themselves. */
  readonly live: boolean;
  /** What is missing of the capture, in a word or two: `node1 lost`, `2 gaps`; undefined when nothing is. */
  readonly trouble: string | undefined;
  /** RFC 3339 of the last packet; undefined before the first. */
  readonly time: string | undefined;
  readonly packets: number;
  readonly exchanges: number;
  /** Packets that agents which could not keep up analysed, of all that came there: counts are of a sample. Undefined where all were. */
  readonly sample?: number | undefined;
  /** Where in a file the screen stands, of 1; undefined for a capture, and while the file is not read to its end. */
  readonly position: number | undefined;
  /** A file is being read: how far, of 1; undefined when it is not, or how far is not known. */
  readonly reading: number | undefined;
  /** A file is shown as fast as it was captured. */
  readonly replaying: boolean;
  /** The expression in use. */
  readonly filter: string | undefined;
  /** What came since it was paused; undefined when it is not. */
  readonly paused: { readonly packets: number; readonly exchanges: number; readonly unlisted: number } | undefined;
}

/** How much there was lately. */
export interface Activity {
  /** Counts of periods of equal length, oldest first; the last one has just ended. */
  readonly counts: readonly number[];
  /** Of the last periods, per second. */
  readonly rate: number;
}

/** Exchanges, messages and events in the order in which they were found, the newest at `end - 1`. */
export interface EventList {
  /** Numbers of the oldest that is kept and of the next that comes: they never change their meaning. */
  readonly first: number;
  readonly end: number;
  /** As the JSON output has it; made when it is read, so read only what is seen. */
  at(number: number): EventRecord | undefined;
}

/** Flows, those that are open and the last that ended. */
export interface FlowList {
  /** Facts of all of them; taken anew at most once per refresh. */
  readonly facts: readonly FlowFacts[];
  /** Open ones among them, and those that ended and are kept no more. */
  readonly open: number;
  readonly dropped: number;
  /** As the JSON output has it; made when it is read. */
  record(facts: FlowFacts): FlowRecord;
}

/** What is wrong, as `-o findings` has it. */
export interface FindingList {
  /** The worst first; made anew at most once per refresh, and only when it is read. */
  readonly all: readonly Finding[];
  /** RFC 3339 of a time in evidence, ns since the first packet. */
  timeText(time: number): string;
}

/** The last packets, as many as the ring holds. */
export interface PacketList {
  readonly count: number;
  readonly bytes: number;
  /** Packets that the ring had to let go. */
  readonly dropped: number;
  /** The packets stay on their nodes (`--edge`): none are here. */
  readonly onNodes: boolean;
  /** The last packets of a flow (`flow` of a record) that are kept, oldest first. */
  ofFlow(flow: number, maximum: number): readonly KeptPacket[];
}

export interface KeptPacket {
  /** RFC 3339 in UTC with nine digits. */
  readonly time: string;
  readonly interface: string | undefined;
  readonly direction: 'in' | 'out' | undefined;
  /** Bytes on the wire. */
  readonly length: number;
  /** A copy of what was captured. */
  readonly bytes: Uint8Array;
  /** As the JSON output has it; decoded when it is read. */
  record(): PacketRecord;
}

/** Where the packets come from and what became of them. */
export interface CaptureState {
  /** `shop/web-1, shop/web-2`, `incident.pcapng`. */
  readonly source: string;
  readonly packets: number;
  readonly bytes: number;
  readonly targets: readonly TargetState[];
  readonly nodes: readonly NodeState[];
  /** What happened: gaps, targets that came and went, newest last. */
  readonly remarks: readonly Remark[];
  /** Of this process, bytes. */
  readonly memory: number;
  /** Stretches without packets from a node. */
  readonly gaps: number;
  /** What bounds cost: `12 flows ended early`. */
  readonly bounds: readonly string[];
}

export interface Remark {
  /** Milliseconds since 1970; undefined for a file. */
  readonly at: number | undefined;
  readonly text: string;
  readonly failed: boolean;
}

export interface TargetState {
  /** `shop/web-1`; of a file the interface. */
  readonly label: string;
  readonly state: string;
  readonly failed: boolean;
  readonly interfaces: readonly string[];
  readonly packets: number;
  readonly bytes: number;
  readonly truncated: number;
  /** By the kernel and by ksnoop. */
  readonly droppedByKernel: number;
  readonly droppedByKsnoop: number;
}

export interface NodeState {
  readonly node: string;
  /** How its agent is reached: `port-forward`; undefined when it is not. */
  readonly way: string | undefined;
  /** How far its clock is ahead, ms, and how sure that is; undefined when not known yet. */
  readonly clock: { readonly offsetMs: number; readonly errorMs: number } | undefined;
  /** `capturing`, `lost since 14:03:07`. */
  readonly state: string;
  readonly failed: boolean;
}
