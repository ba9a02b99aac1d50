import { type KsnoopError, messageOf } from '../../wire/errors.ts';
import type { AgentlessMode } from '../agentless/preference.ts';
import { type Agents, findAgents } from '../agents/agents.ts';
import type { Kube } from '../kube/kube.ts';
import type { OwnerView } from '../kube/pod.ts';
import type { FoundPod } from '../targets/followed-targets.ts';
import { checkCapturable, podWarnings } from '../targets/pod-state.ts';
import type { TargetQuery } from '../targets/target-find.ts';
import { findTargetSet, type TargetSet } from '../targets/target-set.ts';
import { type CheckedPermission, checkPermissions, neededPermissions } from './needed-permissions.ts';

/** A pod or node that would be captured. */
export interface DryTarget {
  readonly kind: 'pod' | 'node';
  /** Empty for a node. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly node: string;
  /** The targets that lead here: `ingress/shop`, `service/web`. */
  readonly via: readonly string[];
  /** What owns the pod, the outermost first: `deployment/web`, `replicaset/web-5d4`. */
  readonly owners: readonly string[];
  readonly addresses: readonly string[];
  readonly hostNetwork: boolean;
  /** The agent that would capture it: `ready`, or why not; `not used` by a capture without installed agents. */
  readonly agent: string;
  /** Why it cannot be captured now; empty when it can. */
  readonly trouble: string;
}

/** What a capture would do. */
export interface DryRun {
  readonly context: string;
  readonly targets: readonly DryTarget[];
  readonly refused: readonly { readonly label: string; readonly error: KsnoopError }[];
  readonly notes: readonly string[];
  readonly permissions: readonly CheckedPermission[];
  /** Whether targets that come later would join. */
  readonly growing: boolean;
}

/** What a target has in place of its agent's state, where installed agents are not used. */
export const AGENT_NOT_USED = 'not used';

/**
 * Find what a capture would capture, where, and with which permissions; nothing is captured.
 * @param options maximum: how many targets are allowed at once; agentless: how it would capture without installed agents
 * @throws as findTargetSet
 */
export async function dryRun(
  kube: Kube,
  query: TargetQuery,
  { maximum, agentless }: { readonly maximum: number; readonly agentless?: AgentlessMode | undefined },
  signal: AbortSignal,
): Promise<DryRun> {
  const [set, agents] = await Promise.all([
    findTargetSet(kube, query, { maximum }, signal),
    agentless === undefined
      ? findAgents(kube, undefined, signal).catch((thrown: unknown) => messageOf(thrown))
      : AGENT_NOT_USED,
  ]);
  const [pods, nodes, permissions] = await Promise.all([
    Promise.all(set.initial.pods.map((found) => podTarget(found, set, agents, signal))),
    Promise.all(
      set.initial.nodes.map(async ({ uid, name }): Promise<DryTarget> => {
        const agent = await agentOn(name, agents, signal);
        const none = { namespace: '', via: [], owners: [], addresses: [], hostNetwork: true, trouble: '' };
        return { kind: 'node', name, uid, node: name, agent, ...none };
      }),
    ),
    checkPermissions(
      kube,
      neededPermissions(
        query,
        set.initial.pods.map(({ pod }) => pod.namespace),
        agentless,
      ),
      signal,
    ),
  ]);
  const warnings = set.initial.pods.flatMap(({ pod }) => podWarnings(pod));
  return {
    context: kube.context,
    targets: [...nodes, ...pods],
    refused: [...set.refused, ...set.waiting],
    notes: [...set.notes, ...warnings],
    permissions,
    growing: set.growing,
  };
}

async function podTarget(
  found: FoundPod,
  set: TargetSet,
  agents: Agents | string,
  signal: AbortSignal,
): Promise<DryTarget> {
  const { pod, via } = found;
  const owners = (await set.owners.chain(pod)).map(ownerText);
  return {
    kind: 'pod',
    namespace: pod.namespace,
    name: pod.name,
    uid: pod.uid,
    node: pod.nodeName,
    via,
    owners,
    addresses: pod.podIPs,
    hostNetwork: pod.hostNetwork,
    agent: pod.nodeName === '' ? '' : await agentOn(pod.nodeName, agents, signal),
    trouble: troubleOf(pod),
  };
}

function ownerText({ kind, name }: OwnerView): string {
  return `${kind.toLowerCase()}/${name}`;
}

function troubleOf(pod: FoundPod['pod']): string {
  try {
    checkCapturable(pod, true);
    return '';
  } catch (thrown) {
    return messageOf(thrown);
  }
}

async function agentOn(node: string, agents: Agents | string, signal: AbortSignal): Promise<string> {
  if (typeof agents === 'string') return agents;
  try {
    await agents.on(node, signal);
    return 'ready';
  } catch (thrown) {
    return messageOf(thrown);
  }
}
