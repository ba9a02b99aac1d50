import type { NamedAddress } from '../../wire/pcapng-write.ts';
import type { AboutConnection } from '../connection-facts.ts';
import type { AlikeExchanges } from '../flow/alike.ts';
import type { FlowInfo } from '../flow/flow-facts.ts';
import type { RepeatedConnections } from '../flow/repeated-connections.ts';
import type { TracedPacket } from '../flow/traced-packet.ts';
import type { PacketView } from '../packet/packet.ts';
import type { AnalysisEvent, Exchange } from '../record/event.ts';
import type { RepeatedExchanges } from '../record/repeated-exchanges.ts';
import type { Disposition } from './analysis.ts';
import type { AnalysisSession } from './session.ts';

/** One form in which people or programs get what the analysis finds. Views are valid during the call. */
export interface AnalysisOutput {
  /** Without `detail` and `--where`: counts exchanges of which it needs no event. */
  readonly alike?: AlikeExchanges | undefined;
  event?(event: AnalysisEvent, flow: FlowInfo): void;
  /** Exchanges that an analysis beside an agent has added up; only with `counts`. */
  repeated?(repeated: RepeatedExchanges, flow: FlowInfo): void;
  flowEnded?(flow: FlowInfo): void;
  /** As of AnalysisSink; only with `counts`. */
  lastOfFlow?(exchange: Exchange, flow: FlowInfo): void;
  flowsEnded?(count: number, flow: FlowInfo): void;
  /** As `flowEnded`, of connections that an analysis beside an agent has added up; only with `counts`. */
  connectionsEnded?(connections: RepeatedConnections, flow: FlowInfo): void;
  /** A TCP connection shows to be another leg of one seen before, or of one that counts in its place from now on. */
  legJoined?(flow: FlowInfo): void;
  /** What a tracer takes of a packet that was decoded beside an agent. */
  traced?(packet: TracedPacket): void;
  packet?(packet: PacketView, taken: Disposition): void;
  /** Names for addresses, as they become known. */
  named?(records: readonly NamedAddress[]): void;
  /** The analysis is over, every flow has ended. */
  end?(): void;
  /** Resolves when it can take more, after the end when all has left it; undefined: at once. What it rejects with ends the command. */
  waiting?(): Promise<void> | undefined;
  /** What it left out, and what it found, after the end: lines for people. */
  notes?(): readonly string[];
  /** What it found wrong, after the end; only the findings output has this. */
  found?(): readonly Found[];
}

/** A finding by its code and severity (findings/finding.ts). */
export interface Found {
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'information';
}

/** What an output is made with. */
export interface AnalysisOutputContext {
  readonly session: AnalysisSession;
  /** Take a line, without its line feed. */
  line(text: string): void;
  readonly colour: boolean;
  /** For a terminal: columns under one another. */
  readonly align: boolean;
  /** Columns of the terminal; undefined without a terminal. */
  readonly width: number | undefined;
  /** `--json` */
  readonly json: boolean;
  /** Times are UTC; local unless set. */
  readonly utc?: boolean | undefined;
  /** The packets come as they are captured: no line may wait for long. */
  readonly live?: boolean | undefined;
  /** `-v`: also what is left out as noise. */
  readonly verbose?: boolean | undefined;
  /** What stands behind the form's name: `-o map=dot`. */
  readonly argument?: string | undefined;
  /** The command that is running, for a reader of what it made; undefined where that is not known. */
  readonly command?: (() => string) | undefined;
  /** Files that have the packets, or will have them, as the user named them; undefined where none has. */
  readonly paths?: readonly string[] | undefined;
  /** Which part of many files this is, for names of files: `3-of-16`; undefined where it is all. */
  readonly part?: string | undefined;
  /** The key log that TLS connections are decrypted with. */
  readonly keyLog?: string | undefined;
  /** What the cluster's objects show about a connection; undefined without a cluster. */
  readonly about?: AboutConnection | undefined;
}

/** What a form looks at, and how it is made. */
export interface AnalysisOutputKind {
  /**
   * Whether single events are looked at: everything in them is decoded and masked. Without, labels and fields of events are
   * not masked and must not be shown, those of DNS and TLS excepted.
   */
  readonly detail: boolean;
  /** Whether labels of exchanges are shown, also without `detail`: they come as the protocol made them, for `shown` of the session. */
  readonly labels?: boolean | undefined;
  /** Whether bodies of messages are always wanted. */
  readonly bodies?: boolean | undefined;
  /** Whether single packets are looked at. */
  readonly packets: boolean;
  /** With `detail`: of most events it shows no fields, so protocols may read them when they are looked at. */
  readonly late?: boolean | undefined;
  /**
   * Of a connection seen before and behind NAT it looks at single exchanges of the leg that was seen first alone: those of the other
   * leg come without `detail`.
   */
  readonly firstLegs?: boolean | undefined;
  /** Of the other leg it looks at no exchanges at all: what that carries is not decoded. `legJoined` reports which flows these are. */
  readonly firstLegsOnly?: boolean | undefined;
  /**
   * Exchanges that are in order are only counted: an analysis beside an agent may add up those of a flow (`repeated`). Not with
   * `--where`, which looks at each.
   */
  readonly counts?: boolean | undefined;
  /** Of packets it takes what a tracer does (`traced`), so they may be decoded beside their agents. */
  readonly traced?: boolean | undefined;
  /** It gets all events and packets, and applies `--where` to its own records; else it gets what matches. */
  readonly ownFilter?: boolean | undefined;
  create(context: AnalysisOutputContext): AnalysisOutput;
}
