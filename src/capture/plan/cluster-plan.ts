import type { AgentTarget } from '../../wire/agent-target.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { AgentAccess } from '../agents/open-agent.ts';
import { ownConnectionFilter } from '../agents/own-connection.ts';
import type { TransportPreference } from '../agents/transport-preference.ts';
import type { Kube } from '../kube/kube.ts';
import { type PodView, podLabel } from '../kube/pod.ts';
import { podNames } from '../names/names.ts';
import type { NodePlan } from '../streams/node-stream.ts';
import type { FollowChanges, TargetChange } from '../streams/target-change.ts';
import { ClientPods } from '../targets/client-pods.ts';
import type { TargetEvent } from '../targets/followed-targets.ts';
import { nodeWarning, podWarnings } from '../targets/pod-state.ts';
import type { TargetQuery } from '../targets/target-find.ts';
import { findTargetSet } from '../targets/target-set.ts';
import { ClusterNode, type NodeOptions } from './cluster-node.ts';

/** What was found for the targets a user named: plans for what can be captured, reasons for what cannot. */
export interface ClusterPlan {
  readonly plans: readonly NodePlan[];
  readonly pods: readonly PodView[];
  /** What each target is called, by its key. */
  readonly labels: ReadonlyMap<string, string>;
  readonly refused: readonly { readonly label: string; readonly error: KsnoopError }[];
  readonly warnings: readonly string[];
  /** A filter for what must not be captured: our own way to the cluster, where nodes' networks are captured. */
  readonly leaveOut: string | undefined;
  /** Whether something was found that has no pods yet, so that having nothing to capture now is no error. */
  readonly waiting: boolean;
  /** Whether targets may join later. */
  readonly growing: boolean;
  /** Tells what joins and leaves; undefined when the set is frozen. */
  readonly follow: FollowChanges | undefined;
  /** Takes who spoke to which captured pod (`--clients`), so that callers join. */
  readonly seen: ((label: string, caller: string) => void) | undefined;
}

export interface PlanOptions extends NodeOptions {
  /** How many targets are allowed at once. */
  readonly maximum: number;
  /** Whether pods that speak to the targets are captured as well. */
  readonly clients: boolean;
  /** How their agents are reached. */
  readonly wish: TransportPreference;
}

/**
 * Resolve targets to pods and nodes, and group them by node. Never rejects for a single target's sake.
 * @throws KsnoopError TOO_MANY_TARGETS
 */
export async function planCluster(
  kube: Kube,
  query: TargetQuery,
  options: PlanOptions,
  signal: AbortSignal,
): Promise<ClusterPlan> {
  // One list of all agents at once with the targets: the common case is one node, and a round trip is a tenth of the start.
  const agents = new AgentAccess(kube, options.wish, signal);
  const followed = await findTargetSet(kube, query, options.maximum, signal);
  const growing = options.clients || (options.follow && followed.growing);
  const refused = growing ? [...followed.refused] : [...followed.refused, ...followed.waiting];
  const waits = growing ? followed.waiting : [];
  const nodes = new Map<string, ClusterNode>();
  const at = (name: string) => {
    const node = nodes.get(name) ?? new ClusterNode(kube, name, agents.on(name), options, signal);
    nodes.set(name, node);
    return node;
  };
  const labels = new Map<string, string>();
  const byNode = new Map<ClusterNode, AgentTarget[]>();
  const begin = (node: ClusterNode, target: AgentTarget, label: string) => {
    byNode.set(node, [...(byNode.get(node) ?? []), target]);
    labels.set(target.key, label);
  };
  const pods: PodView[] = [];
  for (const { pod } of followed.initial.pods) {
    try {
      const node = at(pod.nodeName);
      begin(node, node.join(pod), podLabel(pod));
      pods.push(pod);
    } catch (thrown) {
      if (!(thrown instanceof KsnoopError)) throw thrown;
      refused.push({ label: podLabel(pod), error: thrown });
    }
  }
  for (const { uid, name } of followed.initial.nodes) begin(at(name), { key: uid, kind: 'host' }, `node/${name}`);
  const nodeWarnings = followed.initial.nodes.map(({ name }) => nodeWarning(name));
  const onNodes = followed.initial.nodes.length > 0 || pods.some(({ hostNetwork }) => hostNetwork);
  const leaveOut = onNodes ? await ownConnectionFilter(kube) : undefined;
  const clients = options.clients ? new ClientPods(kube, query.namespaces ?? []) : undefined;
  for (const pod of pods) clients?.ask(podLabel(pod));
  const follow: FollowChanges = async (emit, until, started) => {
    await started;
    if (until.aborted) return;
    const tell = (event: TargetEvent) => emit(changeOf(event, at));
    const asked = (event: TargetEvent) => {
      if (event.type === 'added') clients?.ask(podLabel(event.pod));
      tell(event);
    };
    await Promise.all([options.follow && followed.follow(asked, until), clients?.follow(tell, until)]);
  };
  return {
    plans: [...byNode].map(([{ node, open, refresh }, targets]) => ({ node, open, refresh, targets })),
    pods,
    labels,
    refused,
    warnings: [
      ...followed.notes,
      ...waits.map(({ error }) => `${error.message} Those that come are captured.`),
      ...pods.flatMap((pod) => podWarnings(pod, options.wholeNode)),
      ...nodeWarnings,
      ...(leaveOut === undefined
        ? []
        : [`what travels between this machine and the API server is left out: ${leaveOut}`]),
    ],
    leaveOut,
    waiting: waits.length > 0,
    growing,
    follow: options.follow || options.clients ? follow : undefined,
    seen: clients && ((label, caller) => clients.see(label, caller)),
  };
}

/** What an event means for the streams. */
function changeOf(event: TargetEvent, at: (node: string) => ClusterNode): TargetChange {
  switch (event.type) {
    case 'added': {
      const { pod } = event;
      const label = podLabel(pod);
      try {
        const node = at(pod.nodeName);
        return { type: 'added', node, target: node.join(pod), label, names: podNames([pod]) };
      } catch (thrown) {
        if (!(thrown instanceof KsnoopError)) throw thrown;
        return { type: 'refused', label, error: thrown };
      }
    }
    case 'node-added': {
      const target = { key: event.uid, kind: 'host' } as const;
      return { type: 'added', node: at(event.name), target, label: `node/${event.name}`, names: [] };
    }
    case 'gone':
      return { type: 'gone', key: event.uid };
    default:
      return event;
  }
}
