import type { PodView } from '../capture/kube/pod.ts';
import { type JsonObject, objectsAt, optionalString } from '../wire/guard.ts';
import type { SealedTicket } from '../wire/ticket.ts';
import type { CaptureView } from './capture-object.ts';
import { MESSAGE_MAXIMUM, NODES_NAMED } from './limits.ts';
import type { RecordingStatus } from './recording/recording-verdict.ts';

export type Phase = 'Pending' | 'Running' | 'Complete' | 'Refused';

/** A condition before it is known since when it holds. */
export interface Condition {
  readonly type: 'Admitted' | 'Capturing' | 'Complete' | 'Degraded' | 'PolicyMissing' | 'Stored';
  readonly status: 'True' | 'False' | 'Unknown';
  /** One word, as `kubectl wait` and programs compare it. */
  readonly reason: string;
  readonly message: string;
}

/** What the controller found about a Capture. */
export interface Verdict {
  readonly phase: Phase;
  readonly conditions: readonly Condition[];
  readonly pods: readonly PodView[];
  /** Pods that cannot be captured, and why. */
  readonly failed: ReadonlyMap<PodView, string>;
  readonly tickets: readonly SealedTicket[];
  /** Of a recording, what is where. */
  readonly recording?: RecordingStatus;
  /** The answer to whoever fetches; null for none. */
  readonly fetch?: JsonObject | null;
}

/**
 * The status that says so. Times of conditions that have not changed stay.
 * @param now milliseconds since 1970
 */
export function statusOf(capture: CaptureView, verdict: Verdict, now: number): JsonObject {
  const { status, generation } = capture;
  const { phase, pods, failed, tickets, recording, fetch } = verdict;
  const time = timestamp(now);
  const known = objectsAt(status, 'conditions');
  const startTime = optionalString(status, 'startTime') ?? (phase === 'Running' ? time : undefined);
  const ended = phase === 'Complete' ? (optionalString(status, 'completionTime') ?? time) : undefined;
  return {
    observedGeneration: generation,
    phase,
    ...(startTime !== undefined && { startTime }),
    ...(ended !== undefined && { completionTime: ended }),
    targets: {
      wanted: pods.length,
      admitted: recording === undefined ? ticketed(tickets) : pods.length - failed.size,
      ...(recording !== undefined && { capturing: recording.capturing }),
      failed: failed.size,
    },
    ...(recording === undefined
      ? { nodes: nodesOf(verdict) }
      : { nodes: recording.nodes, files: recording.files, counters: recording.counters }),
    tickets,
    ...(fetch !== undefined && { fetch }),
    conditions: verdict.conditions.map((condition) => {
      const before = known.find(({ type }) => type === condition.type);
      const since = before?.status === condition.status ? optionalString(before, 'lastTransitionTime') : undefined;
      const message = condition.message.slice(0, MESSAGE_MAXIMUM);
      return { ...condition, message, observedGeneration: generation, lastTransitionTime: since ?? time };
    }),
  };
}

/** A time of the API (RFC 3339, whole seconds). @param ms since 1970 */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

function ticketed(tickets: readonly SealedTicket[]): number {
  return new Set(tickets.flatMap((ticket) => ticket.pods.map(({ uid }) => uid))).size;
}

function nodesOf({ pods, failed }: Verdict): JsonObject[] {
  const nodes = new Map<string, { count: number; messages: Set<string> }>();
  for (const pod of pods) {
    const node = nodes.get(pod.nodeName) ?? { count: 0, messages: new Set() };
    node.count += 1;
    const why = failed.get(pod);
    if (why !== undefined) node.messages.add(why);
    nodes.set(pod.nodeName, node);
  }
  return [...nodes]
    .sort(([a], [b]) => a.localeCompare(b))
    .slice(0, NODES_NAMED)
    .map(([node, { count, messages }]) => ({
      node,
      pods: count,
      message: [...messages].join('; ').slice(0, MESSAGE_MAXIMUM),
    }));
}
