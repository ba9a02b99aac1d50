import type { AgentTarget } from '../wire/agent-target.ts';
import { KsnoopError } from '../wire/errors.ts';
import { containerFilter } from './container-filter.ts';
import type { FollowedTargets } from './followed-targets.ts';
import { AGENT_CONTAINER, AGENT_NAMESPACE, type Agents, findAgents } from './kube/agents.ts';
import { find } from './kube/api.ts';
import { openExec } from './kube/exec.ts';
import type { Kube } from './kube/kube.ts';
import { type PodView, podView } from './kube/pod.ts';
import { resourcePath } from './kube/resource.ts';
import type { NodePlan } from './node-stream.ts';
import { checkCapturable, podWarnings } from './pod-state.ts';
import { podLabel } from './target.ts';
import type { TargetQuery } from './target-find.ts';
import { findTargetSet } from './target-set.ts';
import type { OpenTransport } from './transport.ts';

/** What was found for the targets a user named: plans for what can be captured, reasons for what cannot. */
export interface ClusterPlan {
  readonly plans: readonly NodePlan[];
  readonly pods: readonly PodView[];
  /** What each target is called, by its key. */
  readonly labels: ReadonlyMap<string, string>;
  readonly refused: readonly { readonly label: string; readonly error: KsnoopError }[];
  readonly warnings: readonly string[];
  /** What the user's words stand for from now on. */
  readonly followed: FollowedTargets;
}

/**
 * Resolve targets to pods and nodes, and group them by node. Never rejects for a single target's sake.
 * @throws KsnoopError TOO_MANY_TARGETS
 */
export async function planCluster(
  kube: Kube,
  query: TargetQuery,
  options: { readonly container: string | undefined; readonly maximum: number },
  signal: AbortSignal,
): Promise<ClusterPlan> {
  // One list of all agents at once with the targets: the common case is one node, and a round trip is a tenth of the start.
  const agents = memoAgents(kube, signal);
  agents.first().catch(() => {});
  const followed = await findTargetSet(kube, query, options.maximum, signal);
  const refused = [...followed.refused];
  const byNode = new Map<string, { targets: AgentTarget[]; pods: PodView[] }>();
  const at = (name: string) => {
    const node = byNode.get(name) ?? { targets: [], pods: [] };
    byNode.set(name, node);
    return node;
  };
  const labels = new Map<string, string>();
  for (const { pod } of followed.initial.pods) {
    try {
      checkCapturable(pod);
      const target = agentTarget(pod, options.container);
      at(pod.nodeName).targets.push(target);
      at(pod.nodeName).pods.push(pod);
      labels.set(target.key, podLabel(pod));
    } catch (thrown) {
      if (!(thrown instanceof KsnoopError)) throw thrown;
      refused.push({ label: podLabel(pod), error: thrown });
    }
  }
  for (const { uid, name } of followed.initial.nodes) {
    at(name).targets.push({ key: uid, kind: 'host' });
    labels.set(uid, `node/${name}`);
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
  const warnings = [...followed.notes, ...captured.flatMap(podWarnings)];
  return { plans, pods: captured, labels, refused, warnings, followed };
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
  for (const target of wanted) {
    const { key } = target;
    // A node stays until its agent says otherwise.
    if (target.kind === 'host') living.push(target);
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
