import type { AgentTarget } from '../wire/agent-target.ts';
import { KsnoopError } from '../wire/errors.ts';
import { containerFilter } from './container-filter.ts';
import { targetKind } from './kinds/index.ts';
import { AGENT_CONTAINER, AGENT_NAMESPACE, type Agents, findAgents } from './kube/agents.ts';
import { find } from './kube/api.ts';
import { openExec } from './kube/exec.ts';
import type { Kube } from './kube/kube.ts';
import { type PodView, podView } from './kube/pod.ts';
import { resourcePath } from './kube/resource.ts';
import type { NodePlan } from './node-stream.ts';
import { checkCapturable, podWarnings } from './pod-state.ts';
import { podLabel, type TargetRef } from './target.ts';
import type { OpenTransport } from './transport.ts';

/** What was found for the targets a user named: plans for what can be captured, reasons for what cannot. */
export interface ClusterPlan {
  readonly plans: readonly NodePlan[];
  readonly pods: readonly PodView[];
  readonly refused: readonly { readonly label: string; readonly error: KsnoopError }[];
  readonly warnings: readonly string[];
}

/** Resolve targets to pods and group them by node. Never rejects for a single target's sake. */
export async function planCluster(
  kube: Kube,
  refs: readonly TargetRef[],
  options: { namespace: string; container: string | undefined },
  signal: AbortSignal,
): Promise<ClusterPlan> {
  // One list of all agents at once with the targets: the common case is one node, and a round trip is a tenth of the start.
  const agents = memoAgents(kube, signal);
  agents.first().catch(() => {});
  const refused: { label: string; error: KsnoopError }[] = [];
  const found = await Promise.all(
    refs.map(async ({ kind, name }) => {
      try {
        return (await targetKind(kind)?.pods(kube, options.namespace, name, signal)) ?? [];
      } catch (thrown) {
        if (!(thrown instanceof KsnoopError)) throw thrown;
        refused.push({ label: `${options.namespace}/${name}`, error: thrown });
        return [];
      }
    }),
  );
  const pods = new Map(found.flat().map((pod) => [pod.uid, pod]));
  const byNode = new Map<string, { targets: AgentTarget[]; pods: PodView[] }>();
  for (const pod of pods.values()) {
    try {
      checkCapturable(pod);
      const target = agentTarget(pod, options.container);
      const node = byNode.get(pod.nodeName) ?? { targets: [], pods: [] };
      byNode.set(pod.nodeName, node);
      node.targets.push(target);
      node.pods.push(pod);
    } catch (thrown) {
      if (!(thrown instanceof KsnoopError)) throw thrown;
      refused.push({ label: podLabel(pod), error: thrown });
    }
  }
  const plans = [...byNode].map(
    ([node, { targets, pods: here }]): NodePlan => ({
      node,
      targets,
      open: openAgent(kube, node, agents),
      refresh: (wanted) => refresh(kube, wanted, here, options.container, signal),
    }),
  );
  const captured = [...byNode.values()].flatMap((node) => node.pods);
  return { plans, pods: captured, refused, warnings: captured.flatMap(podWarnings) };
}

function agentTarget(pod: PodView, container: string | undefined): AgentTarget {
  const filter = container === undefined ? {} : { filter: containerFilter(pod, container) };
  return {
    key: pod.uid,
    kind: 'pod',
    namespace: pod.namespace,
    pod: pod.name,
    uid: pod.configHash ?? pod.uid,
    containers: pod.containers.filter(({ id }) => id !== '').map(({ name, id }) => ({ name, id })),
    hostNetwork: pod.hostNetwork,
    ...filter,
  };
}

/** The first answer is shared by all nodes; every later attempt asks anew, for agents are replaced. */
function memoAgents(kube: Kube, signal: AbortSignal) {
  let first: Promise<Agents> | undefined;
  return {
    first: () => {
      first ??= findAgents(kube, undefined, signal);
      return first;
    },
    again: () => findAgents(kube, undefined, signal),
  };
}

function openAgent(kube: Kube, node: string, agents: ReturnType<typeof memoAgents>): OpenTransport {
  let attempts = 0;
  return async (handlers, signal) => {
    attempts += 1;
    const agent = await (await (attempts === 1 ? agents.first() : agents.again())).on(node, signal);
    const stream = await openExec(
      kube,
      {
        namespace: AGENT_NAMESPACE,
        pod: agent.name,
        container: AGENT_CONTAINER,
        command: ['ksnoop-agent', 'capture'],
        stdin: true,
        onStdout: (bytes) => handlers.stdout(bytes),
        onStderr: (bytes) => handlers.stderr(bytes),
      },
      signal,
    );
    return {
      write: (text) => void stream.write(text),
      pause: () => stream.pause(),
      resume: () => stream.resume(),
      ended: stream.ended,
      terminate: () => stream.terminate(),
    };
  };
}

/** Of the pods captured so far, those that still exist as the same pod, with the container IDs they have now. */
async function refresh(
  kube: Kube,
  wanted: readonly AgentTarget[],
  pods: readonly PodView[],
  container: string | undefined,
  signal: AbortSignal,
): Promise<AgentTarget[]> {
  const living: AgentTarget[] = [];
  for (const { key } of wanted) {
    const known = pods.find(({ uid }) => uid === key);
    if (known === undefined) continue;
    const object = await find(kube, resourcePath('v1', known.namespace, 'pods', known.name), signal);
    if (object === undefined) continue;
    const pod = podView(object);
    if (pod.uid !== key || pod.phase === 'Succeeded' || pod.phase === 'Failed') continue;
    living.push(agentTarget(pod, container));
  }
  return living;
}
