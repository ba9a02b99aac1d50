import type { AnalysisOutput } from '../../analyze/engine/output.ts';
import type { AnalysisSession, Condition } from '../../analyze/engine/session.ts';
import type { Call } from '../../analyze/trace/call.ts';
import { type PathStats, TracePaths } from '../../analyze/trace/paths.ts';
import type { TraceRecord } from '../../analyze/trace/record.ts';
import { sessionTracer } from '../../run/analysis/tracing.ts';
import { TRACES_KEPT } from './limits.ts';
import { Ring } from './ring.ts';

/** The last requests of clients, hop by hop. Their records are made when somebody looks. */
export class Traces {
  readonly output: Required<Pick<AnalysisOutput, 'event' | 'packet' | 'flowEnded' | 'end'>>;
  /** Those without records yet. */
  #calls = new Ring<Call>(TRACES_KEPT);
  readonly #records = new Ring<{ readonly call: Call; readonly record: TraceRecord }>(TRACES_KEPT);
  readonly #session: AnalysisSession;
  readonly #record: (call: Call) => TraceRecord;
  #made: { readonly where: Condition | undefined; readonly paths: readonly PathStats[] } | undefined;

  constructor(session: AnalysisSession, live: boolean) {
    this.#session = session;
    const { analysis } = session.capture;
    const { tracer, recorder } = sessionTracer(session, live, { done: (call) => this.#calls.push(call) });
    this.#record = (call) => recorder.record(call);
    this.output = {
      event: (event, flow) => tracer.event(event, flow),
      packet: (packet) => tracer.packet(packet, analysis.flow, analysis.clock.now),
      flowEnded: (flow) => tracer.flowEnded(flow),
      end: () => tracer.end(),
    };
  }

  /** Where the time of the kept requests that match went, by route. The same array until there is more. */
  paths(where: Condition | undefined): readonly PathStats[] {
    if (this.#made !== undefined && this.#made.where === where && this.#calls.end === 0) return this.#made.paths;
    for (const call of this.#calls) this.#records.push({ call, record: this.#record(call) });
    this.#calls = new Ring(TRACES_KEPT);
    const sums = new TracePaths();
    for (const { call, record } of this.#records) {
      if (where === undefined || where.matches(this.#session.recorder.event(call.exchange, call.flow)))
        sums.add(record);
    }
    this.#made = { where, paths: sums.stats() };
    return this.#made.paths;
  }
}
