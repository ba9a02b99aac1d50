import type { CaptureAnalysis } from '../../analyze/engine/capture-analysis.ts';
import type { AnalysisOutput } from '../../analyze/engine/output.ts';
import type { AnalysisSession } from '../../analyze/engine/session.ts';
import type { FlowInfo } from '../../analyze/flow/flow-facts.ts';
import { IP_PROTOCOL } from '../../analyze/layers/ip-protocol.ts';
import type { PacketView } from '../../analyze/packet/packet.ts';
import type { AnalysisEvent, Exchange } from '../../analyze/record/event.ts';
import { TCP } from '../../analyze/tcp/flags.ts';
import type { Call } from '../../analyze/trace/call.ts';
import type { TraceRecord, TraceRecorder } from '../../analyze/trace/record.ts';
import { isCall, type Tracer } from '../../analyze/trace/tracer.ts';
import { sessionTracer } from './tracing.ts';

/** Slowest requests that are kept, and failed ones. */
export const NOTABLE_MAXIMUM = 20;

/** Packets of the beginning and the end of a TCP connection. */
const HANDSHAKE = TCP.syn | TCP.rst;

/** Flows whose data was seen, as many as fit by their number. */
const RECENT = 4096;
const RECENT_MASK = RECENT - 1;

/** Requests of clients that a reader wants to see: the slowest and the first that failed, with where their time went. */
export class NotableRequests implements AnalysisOutput {
  readonly #session: AnalysisSession;
  readonly #capture: CaptureAnalysis;
  readonly #tracer: Tracer;
  readonly #recorder: TraceRecorder;
  /** Slowest first. */
  readonly #slowest: { readonly latency: number; readonly record: TraceRecord }[] = [];
  readonly failed: TraceRecord[] = [];
  failures = 0;
  readonly #recent = new Int32Array(RECENT).fill(-1);
  /** Exchanges may belong together. Until then they are counted as they come: nothing of most of them is ever shown. */
  #isTracing = false;

  constructor(session: AnalysisSession, live: boolean) {
    this.#session = session;
    this.#capture = session.capture;
    const { tracer, recorder } = sessionTracer(session, live, (call) => this.#done(call));
    this.#tracer = tracer;
    this.#recorder = recorder;
  }

  get slowest(): TraceRecord[] {
    return this.#slowest.map(({ record }) => record);
  }

  event(event: AnalysisEvent, flow: FlowInfo): void {
    if (this.#isTracing || event.kind !== 'exchange') this.#tracer.event(event, flow);
    else if (this.#isNotable(event) && isCall(event, flow)) {
      this.#done(this.#tracer.alone(this.#session.shown(event), flow));
    }
  }

  packet(packet: PacketView): void {
    const { flow, clock } = this.#capture.analysis;
    if (!this.#isTracing && !this.#tracer.mayJoin(packet) && this.#isPlain(packet, flow)) return;
    this.#tracer.packet(packet, flow, clock.now);
    if (this.#isTracing || !this.#tracer.mayJoin(packet)) return;
    this.#isTracing = true;
    // What belongs together is found by header fields, ids and names.
    this.#session.wantDetail();
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

  /** Whether a packet, of one place alone, shows nothing new: who calls whom is known by a flow's handshake and its first data. */
  #isPlain(packet: PacketView, flow: number): boolean {
    if (packet.payloadLength <= 0) return packet.ipProtocol === IP_PROTOCOL.tcp && (packet.tcpFlags & HANDSHAKE) === 0;
    if ((packet.tcpFlags & HANDSHAKE) !== 0 && packet.ipProtocol === IP_PROTOCOL.tcp) return false;
    if (this.#recent[flow & RECENT_MASK] === flow) return true;
    this.#recent[flow & RECENT_MASK] = flow;
    return false;
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
    const record = this.#recorder.record(call);
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
