import type { AboutConnection } from '../../analyze/connection-facts.ts';
import type { AnalysisSession } from '../../analyze/engine/session.ts';
import type { Call } from '../../analyze/trace/call.ts';
import { TraceRecorder } from '../../analyze/trace/record.ts';
import { Tracer } from '../../analyze/trace/tracer.ts';

/** How long a call waits for the request it may belong to, by packet time, ns: people wait too when it is live. */
const PATIENCE_NS = 30e9;
const PATIENCE_LIVE_NS = 2e9;

/** How long a connection may take to come up, by packet time, ns: a SYN is retransmitted after 1 s and 3 s. */
const OPENING_NS = 30e9;
const OPENING_LIVE_NS = 3.5e9;

/** How much later another place may bring the same packets. */
const LATE_NS = 3e9;
const LATE_LIVE_NS = 1e9;

/** Who gets what a tracer has joined, as TracerSettings has them. */
export interface Joined {
  readonly done: (call: Call) => void;
  readonly apart?: ((call: Call) => void) | undefined;
}

/** Joins what a session finds into traces, and makes their records. @param about what the cluster's objects show about a connection */
export function sessionTracer(
  session: AnalysisSession,
  live: boolean,
  { done, apart }: Joined,
  about?: AboutConnection | undefined,
): { readonly tracer: Tracer; readonly recorder: TraceRecorder } {
  const { places, hosts } = session.capture.analysis;
  const { names } = session;
  const tracer = new Tracer(
    { places, hosts, names },
    {
      late: live ? LATE_LIVE_NS : LATE_NS,
      patience: live ? PATIENCE_LIVE_NS : PATIENCE_NS,
      opening: live ? OPENING_LIVE_NS : OPENING_NS,
      done,
      apart,
    },
  );
  const recorder = new TraceRecorder({
    recorder: () => session.recorder,
    names,
    states: session.states,
    interfaceName: (id) => session.interfaces[id]?.name,
    places: tracer,
    clockOffset: tracer.clockOffset,
    hosts,
    about,
  });
  return { tracer, recorder };
}
