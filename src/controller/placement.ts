import { type PodView, podLabel } from '../capture/kube/pod.ts';
import type { CaptureView } from './capture-object.ts';
import type { AgentPods } from './tickets.ts';

/** Which agent captures which pods of a Capture. */
export interface Placement {
  /** All pods of the targets, sorted by name. */
  readonly pods: readonly PodView[];
  /** Pods that no agent can capture, and why: a sentence. */
  readonly failed: ReadonlyMap<PodView, string>;
  readonly parts: readonly AgentPods[];
}

/**
 * Divide pods among the agents of their nodes.
 * @param agentOn the ready agent of a node
 */
export function placed(
  capture: CaptureView,
  wanted: Iterable<PodView>,
  agentOn: (node: string) => PodView | undefined,
): Placement {
  const pods = [...wanted].sort((a, b) => podLabel(a).localeCompare(podLabel(b)));
  const failed = new Map<PodView, string>();
  const parts = new Map<string, { agent: PodView; pods: PodView[]; hostNetwork: boolean }>();
  for (const pod of pods) {
    const why = obstacle(capture, pod);
    const agent = agentOn(pod.nodeName);
    if (why !== undefined || agent === undefined) {
      failed.set(pod, why ?? `No agent is ready on node ${pod.nodeName}.`);
      continue;
    }
    const name = `${agent.uid} ${pod.hostNetwork}`;
    const part = parts.get(name) ?? { agent, pods: [], hostNetwork: pod.hostNetwork };
    part.pods.push(pod);
    parts.set(name, part);
  }
  return { pods, failed, parts: [...parts.values()] };
}

function obstacle(capture: CaptureView, pod: PodView): string | undefined {
  if (pod.hostNetwork && !capture.hostNetwork) {
    return `Pod ${pod.name} is on its node's network: that needs spec.hostNetwork.`;
  }
  // Its network namespace is found by an annotation that others may write.
  if (pod.configHash !== undefined) return `Pod ${pod.name} is a static pod.`;
  return undefined;
}
