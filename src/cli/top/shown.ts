import type { AnalysisSession, Condition } from '../../analyze/engine/session.ts';
import type { FlowFacts, FlowIdentity } from '../../analyze/flow/flow-facts.ts';
import type { AnalysisEvent } from '../../analyze/record/event.ts';
import { Activity } from '../../analyze/summary/activity.ts';
import { serviceTotals } from '../../analyze/summary/service-totals.ts';
import { Summary } from '../../analyze/summary/summary.ts';
import type { Ring } from './ring.ts';

/** An event with all that its record is made of. */
export interface KeptEvent {
  readonly event: AnalysisEvent;
  readonly flow: FlowIdentity;
  /** When it was reported: ns since the analysis' first packet. */
  readonly reportedAt: number;
}

/** What of one analysis is shown: all that it finds, or what matches an expression. */
export class Shown {
  readonly sums: Summary;
  readonly activity: Activity;
  readonly events: Ring<KeptEvent>;
  readonly ended: Ring<FlowFacts>;
  /** As the summary counts them: of two legs of a connection, one's. */
  exchanges = 0;
  readonly #session: AnalysisSession;
  readonly #where: Condition | undefined;

  /** @param events @param ended where what is listed goes */
  constructor(session: AnalysisSession, where: Condition | undefined, events: Ring<KeptEvent>, ended: Ring<FlowFacts>) {
    this.events = events;
    this.ended = ended;
    this.#session = session;
    this.#where = where;
    this.sums = new Summary(session.capture.analysis.hosts, session.names);
    this.activity = new Activity(() => serviceTotals(this.sums));
  }

  event(kept: KeptEvent): void {
    const { event, flow, reportedAt } = kept;
    if (this.#where !== undefined && !this.#where.matches(this.#session.recorder.event(event, flow))) return;
    this.activity.advance(reportedAt);
    if (event.kind === 'exchange' && flow.sameAs === undefined) this.exchanges += 1;
    this.sums.event(event, flow);
    this.events.push(kept);
  }

  flowEnded(facts: FlowFacts): void {
    if (!this.wants(facts)) return;
    this.sums.factsEnded(facts);
    this.ended.push(facts);
  }

  /** Whether a flow is one of those that are shown. */
  wants(facts: FlowFacts): boolean {
    return this.#where === undefined || this.#where.matches(this.#session.recorder.flow(facts));
  }
}
