import type { Disposition } from '../../analyze/engine/analysis.ts';
import type { AnalysisSession } from '../../analyze/engine/session.ts';
import type { FlowInfo } from '../../analyze/flow/flow-facts.ts';
import type { PacketView } from '../../analyze/packet/packet.ts';
import type { AnalysisEvent } from '../../analyze/record/event.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';

/** One form in which people or programs get what the analysis finds. Views are valid during the call. */
export interface AnalysisOutput {
  event?(event: AnalysisEvent, flow: FlowInfo): void;
  flowEnded?(flow: FlowInfo): void;
  packet?(packet: PacketView, taken: Disposition): void;
  /** Names for addresses, as they become known. */
  named?(records: readonly NamedAddress[]): void;
  /** The analysis is over, every flow has ended. */
  end?(): void;
}

/** What an output is made with. */
export interface AnalysisOutputContext {
  readonly session: AnalysisSession;
  /** Take a line, without its line feed. */
  line(text: string): void;
  readonly colour: boolean;
  /** For a terminal: columns under one another. */
  readonly align: boolean;
  /** Columns of the terminal; undefined where there is none. */
  readonly width: number | undefined;
  /** `--json` */
  readonly json: boolean;
}

/** What a form looks at, and how it is made. */
export interface AnalysisOutputKind {
  /** Whether single events are looked at: everything in them is decoded. */
  readonly detail: boolean;
  /** Whether single packets are looked at. */
  readonly packets: boolean;
  create(context: AnalysisOutputContext): AnalysisOutput;
}

/** A form as it is known before its code, and with it the whole analysis, is loaded. */
export interface AnalysisForm {
  readonly name: string;
  readonly about: string;
  /** Whether there is a form for `--json`. */
  readonly json: boolean;
  load(): Promise<AnalysisOutputKind>;
}
