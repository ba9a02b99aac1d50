import type { AnalysisOutput } from '../../analyze/engine/output.ts';
import type { AnalysisSession } from '../../analyze/engine/session.ts';
import type { FlowInfo } from '../../analyze/flow/flow-facts.ts';
import type { PacketView } from '../../analyze/packet/packet.ts';
import type { AnalysisEvent } from '../../analyze/record/event.ts';
import type { Call } from '../../analyze/trace/call.ts';
import type { TraceRecord, TraceRecorder } from '../../analyze/trace/record.ts';
import type { Tracer } from '../../analyze/trace/tracer.ts';
import { sessionTracer } from './tracing.ts';

/** Slowest requests that are kept, and failed ones. */
export const NOTABLE_MAXIMUM = 20;

/** Requests of clients that a reader wants to see: the slowest and the first that failed, with where their time went. */
export class NotableRequests implements AnalysisOutput {
  readonly #session: AnalysisSession;
  readonly #tracer: Tracer;
  readonly #recorder: TraceRecorder;
  /** Slowest first. */
  readonly #slowest: { readonly latency: number; readonly record: TraceRecord }[] = [];
  readonly failed: TraceRecord[] = [];
  failures = 0;

  constructor(session: AnalysisSession, live: boolean) {
    this.#session = session;
    const { tracer, recorder } = sessionTracer(session, live, (call) => this.#done(call));
    this.#tracer = tracer;
    this.#recorder = recorder;
  }

  get slowest(): TraceRecord[] {
    return this.#slowest.map(({ record }) => record);
  }

  event(event: AnalysisEvent, flow: FlowInfo): void {
    this.#tracer.event(event, flow);
  }

  packet(packet: PacketView): void {
    const { flow, clock } = this.#session.capture.analysis;
    this.#tracer.packet(packet, flow, clock.now);
  }

  flowEnded(flow: FlowInfo): void {
    this.#tracer.flowEnded(flow);
  }

  notes(): string[] {
    const { hurried, forgotten } = this.#tracer;
    const left = hurried + forgotten;
    return left === 0 ? [] : ['requests are traced in part: there were too many at once'];
  }

  end(): void {
    this.#tracer.end();
  }

  #done(call: Call): void {
    const { time, responseEnd, incomplete, failed } = call.exchange;
    const latency = incomplete === undefined && responseEnd !== undefined ? responseEnd - time : undefined;
    const least = this.#slowest[NOTABLE_MAXIMUM - 1]?.latency ?? 0;
    const isSlow = latency !== undefined && latency > least;
    if (!isSlow && !failed) return;
    const { where, recorder } = this.#session;
    if (where?.matches(recorder.event(call.exchange, call.flow)) === false) return;
    if (failed) this.failures += 1;
    const isKept = failed && this.failed.length < NOTABLE_MAXIMUM;
    if (!isSlow && !isKept) return;
    const record = this.#recorder.record(call);
    if (isKept) this.failed.push(record);
    if (!isSlow) return;
    let at = this.#slowest.length;
    while (at > 0 && (this.#slowest[at - 1]?.latency ?? 0) < latency) at -= 1;
    this.#slowest.splice(at, 0, { latency, record });
    if (this.#slowest.length > NOTABLE_MAXIMUM) this.#slowest.pop();
  }
}
