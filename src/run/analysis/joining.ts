import type { CaptureAnalysis } from '../../analyze/engine/capture-analysis.ts';
import type { AnalysisSession } from '../../analyze/engine/session.ts';
import { IP_PROTOCOL } from '../../analyze/layers/ip-protocol.ts';
import type { PacketView } from '../../analyze/packet/packet.ts';
import { TCP } from '../../analyze/tcp/flags.ts';
import type { TraceRecorder } from '../../analyze/trace/record.ts';
import type { Tracer } from '../../analyze/trace/tracer.ts';
import { type Joined, sessionTracer } from './tracing.ts';

/** Packets of the beginning and the end of a TCP connection. */
const HANDSHAKE = TCP.syn | TCP.rst;

/** Flows whose data was seen, as many as fit by their number. */
const RECENT = 4096;
const RECENT_MASK = RECENT - 1;

/**
 * A tracer that gets all packets only from the time when requests may belong together: until a host was seen that both takes requests and
 * makes calls, every exchange stands alone.
 */
export class Joining {
  readonly tracer: Tracer;
  readonly recorder: TraceRecorder;
  readonly #session: AnalysisSession;
  readonly #capture: CaptureAnalysis;
  readonly #recent = new Int32Array(RECENT).fill(-1);
  #isOn = false;

  constructor(session: AnalysisSession, live: boolean, joined: Joined) {
    this.#session = session;
    this.#capture = session.capture;
    const { tracer, recorder } = sessionTracer(session, live, joined);
    this.tracer = tracer;
    this.recorder = recorder;
  }

  /** Exchanges may belong together: the tracer gets them. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** Every packet, after its events. */
  packet(packet: PacketView): void {
    const { flow, clock } = this.#capture.analysis;
    if (!this.#isOn && !this.tracer.mayJoin(packet) && this.#isPlain(packet, flow)) return;
    this.tracer.packet(packet, flow, clock.now);
    if (this.#isOn || !this.tracer.mayJoin(packet)) return;
    this.#isOn = true;
    // What belongs together is found by header fields, ids and names.
    this.#session.wantDetail();
  }

  /** Whether a packet, of one place alone, shows nothing new: who calls whom is known by a flow's handshake and its first data. */
  #isPlain(packet: PacketView, flow: number): boolean {
    if (packet.payloadLength <= 0) return packet.ipProtocol === IP_PROTOCOL.tcp && (packet.tcpFlags & HANDSHAKE) === 0;
    if ((packet.tcpFlags & HANDSHAKE) !== 0 && packet.ipProtocol === IP_PROTOCOL.tcp) return false;
    if (this.#recent[flow & RECENT_MASK] === flow) return true;
    this.#recent[flow & RECENT_MASK] = flow;
    return false;
  }
}
