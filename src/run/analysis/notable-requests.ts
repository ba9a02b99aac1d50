import type { AnalysisOutput } from '../../analyze/engine/output.ts';
import type { AnalysisSession } from '../../analyze/engine/session.ts';
import type { FlowInfo } from '../../analyze/flow/flow-facts.ts';
import type { PacketView } from '../../analyze/packet/packet.ts';
import type { AnalysisEvent, Exchange } from '../../analyze/record/event.ts';
import type { Call } from '../../analyze/trace/call.ts';
import type { TraceRecord } from '../../analyze/trace/record.ts';
import { isCall } from '../../analyze/trace/tracer.ts';
import { Joining } from './joining.ts';

/** Slowest requests that are kept, and failed ones. */
export const NOTABLE_MAXIMUM = 20;

/** Requests of clients that a reader wants to see: the slowest and the first that failed, with where their time went. */
export class NotableRequests implements AnalysisOutput {
  readonly #session: AnalysisSession;
  /** Until exchanges may belong together they are counted as they come: nothing of most of them is ever shown. */
  readonly #joining: Joining;
  /** Slowest first. */
  readonly #slowest: { readonly latency: number; readonly record: TraceRecord }[] = [];
  readonly failed: TraceRecord[] = [];
  failures = 0;

  constructor(session: AnalysisSession, live: boolean) {
    this.#session = session;
    this.#joining = new Joining(session, live, { done: (call) => this.#done(call) });
  }

  get slowest(): TraceRecord[] {
    return this.#slowest.map(({ record }) => record);
  }

  event(event: AnalysisEvent, flow: FlowInfo): void {
    if (this.#joining.isOn || event.kind !== 'exchange') this.#joining.tracer.event(event, flow);
    else if (this.#isNotable(event) && isCall(event, flow)) {
      this.#done(this.#joining.tracer.alone(this.#session.shown(event), flow));
    }
  }

  packet(packet: PacketView): void {
    this.#joining.packet(packet);
  }

  flowEnded(flow: FlowInfo): void {
    this.#joining.tracer.flowEnded(flow);
  }

  notes(): string[] {
    const { hurried, forgotten } = this.#joining.tracer;
    const left = hurried + forgotten;
    return left === 0 ? [] : ['requests are traced in part: there were too many at once'];
  }

  end(): void {
    this.#joining.tracer.end();
  }

  #isNotable(exchange: Exchange): boolean {
    return exchange.failed || this.#isSlow(latencyOf(exchange));
  }

  #isSlow(latency: number | undefined): boolean {
    return latency !== undefined && latency > (this.#slowest[NOTABLE_MAXIMUM - 1]?.latency ?? 0);
  }

  #done(call: Call): void {
    const { exchange } = call;
    if (!this.#isNotable(exchange)) return;
    const { failed } = exchange;
    const latency = latencyOf(exchange);
    const isSlow = this.#isSlow(latency);
    const { where, recorder } = this.#session;
    if (where?.matches(recorder.event(call.exchange, call.flow)) === false) return;
    if (failed) this.failures += 1;
    const isKept = failed && this.failed.length < NOTABLE_MAXIMUM;
    if (!isSlow && !isKept) return;
    const record = this.#joining.recorder.record(call);
    if (isKept) this.failed.push(record);
    if (!isSlow || latency === undefined) return;
    let at = this.#slowest.length;
    while (at > 0 && (this.#slowest[at - 1]?.latency ?? 0) < latency) at -= 1;
    this.#slowest.splice(at, 0, { latency, record });
    if (this.#slowest.length > NOTABLE_MAXIMUM) this.#slowest.pop();
  }
}

/**
 * First byte of the request to last byte of the response, ns; undefined where not all of it is known. Where an earlier request that
 * was not seen may be the one answered, the own answer came later: it took this long at least.
 */
function latencyOf({ time, responseEnd, incomplete }: Exchange): number | undefined {
  const isWhole = incomplete === undefined || incomplete === 'unknown';
  return isWhole && responseEnd !== undefined ? responseEnd - time : undefined;
}
