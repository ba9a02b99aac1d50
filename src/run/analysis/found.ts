import type { AnalysisOutput } from '../../analyze/engine/output.ts';
import type { AnalysisSession } from '../../analyze/engine/session.ts';
import { contextOf, type FindingContext } from '../../analyze/findings/detector.ts';
import type { Finding } from '../../analyze/findings/finding.ts';
import { Findings } from '../../analyze/findings/findings.ts';
import type { AlikeTaker } from '../../analyze/flow/alike.ts';
import type { FlowIdentity, FlowInfo } from '../../analyze/flow/flow-facts.ts';
import type { RepeatedConnections } from '../../analyze/flow/repeated-connections.ts';
import { FINDING_SUBJECTS } from '../../analyze/limits.ts';
import type { AnalysisEvent, Exchange } from '../../analyze/record/event.ts';
import type { RepeatedExchanges } from '../../analyze/record/repeated-exchanges.ts';
import type { SampleRecord } from '../../analyze/record/sample-record.ts';
import { grouped } from '../../view/units.ts';

/** How much was looked at for findings. */
export interface Looked {
  readonly exchanges: number;
  readonly connections: number;
  /** ns between the first and the last packet */
  readonly duration: number;
  /** Undefined where all connections were analysed. */
  readonly sample?: SampleRecord | undefined;
}

/** Collects the findings of an analysis, and how much was looked at. */
export class Found implements AnalysisOutput {
  readonly #session: AnalysisSession;
  readonly #findings: Findings;
  /** What its findings are made with. */
  readonly context: FindingContext;
  #exchanges = 0;
  #connections = 0;

  constructor(session: AnalysisSession) {
    this.#session = session;
    this.context = contextOf(session);
    this.#findings = new Findings(this.context);
  }

  event(event: AnalysisEvent, flow: FlowInfo): void {
    if (event.kind === 'exchange' && flow.sameAs === undefined) this.#exchanges += 1;
    this.#findings.event(event, flow);
  }

  repeated(repeated: RepeatedExchanges, flow: FlowInfo): void {
    if (flow.sameAs === undefined) this.#exchanges += repeated.count;
    this.#findings.repeated(repeated, flow);
  }

  /** As Findings.lastOfFlow. */
  lastOfFlow(exchange: Exchange, flow: FlowInfo): void {
    this.#findings.lastOfFlow(exchange, flow);
  }

  /** As Findings.takerOf. */
  takerOf(event: Exchange, flow: FlowIdentity): AlikeTaker | undefined {
    const taker = this.#findings.takerOf(event, flow);
    return (
      taker && {
        ...taker,
        counted: (sums) => {
          this.#exchanges += sums.count;
          taker.counted(sums);
        },
      }
    );
  }

  flowEnded(flow: FlowInfo): void {
    if (flow.transport === 'tcp' && flow.sameAs === undefined) this.#connections += 1;
    this.#findings.flowEnded(flow);
  }

  connectionsEnded(connections: RepeatedConnections, flow: FlowInfo): void {
    if (flow.sameAs === undefined) this.#connections += connections.opened.count;
    this.#findings.connectionsEnded(connections, flow);
  }

  /** What was found until now, the worst first. */
  list(): Finding[] {
    return this.#findings.list();
  }

  /** What bounds cost, for people. */
  notes(): string[] {
    if (!this.#findings.areIncomplete) return [];
    return [
      `there may be more findings: one kind concerned more than ${grouped(FINDING_SUBJECTS)} servers or clients, and only the first are judged`,
    ];
  }

  get looked(): Looked {
    const { span, sample } = this.#session;
    const duration = span === undefined ? 0 : span.last - span.first;
    return { exchanges: this.#exchanges, connections: this.#connections, duration, ...(sample && { sample }) };
  }
}
