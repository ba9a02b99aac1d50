import { KsnoopError } from '../../wire/errors.ts';
import { type JsonObject, objectAt, objectsAt, optionalNumber, optionalString, stringsAt } from '../../wire/guard.ts';
import { AGENT_CONTAINER, AGENT_DAEMONSET, AGENT_NAMESPACE, AGENT_SELECTOR } from '../agent-objects.ts';
import { uncovered } from '../agents/agents.ts';
import type { Kube } from '../kube/kube.ts';
import { ObjectApi } from '../kube/object-api.ts';
import { memoryKill, type PodView, podTrouble, podView } from '../kube/pod.ts';
import { type CapturesStatus, capturesStatus, takesTickets } from './captures-status.ts';
import { imageOf, VERSION_LABEL } from './objects.ts';
import { type ObserveStatus, observeStatus } from './observe/status.ts';
import { type AgentResources, type AgentUsage, agentUsage, resourcesOf } from './resources.ts';

/** One node, or one agent on a node that cannot be listed. */
export interface NodeStatus {
  readonly node: string;
  /** Name of the agent's pod; empty without a pod. */
  readonly pod: string;
  readonly state: 'ready' | 'not ready' | 'being replaced' | 'no agent';
  /** Why it is not ready, or why its container was restarted last; empty mostly. */
  readonly reason: string;
  /** The node itself is not ready, so its agent cannot be. */
  readonly nodeDown: boolean;
  /** How often the agent's container was restarted. */
  readonly restarts: number;
  /** What it uses; undefined where the cluster does not measure it. */
  readonly usage?: AgentUsage | undefined;
}

/** The installation of ksnoop in a cluster. */
export interface InstallStatus {
  readonly context: string;
  readonly namespace: string;
  readonly installed: boolean;
  /** Image of the agents; empty when not installed. */
  readonly image: string;
  /** What each agent may use; undefined when not installed. */
  readonly resources?: AgentResources | undefined;
  /** Version of the ksnoop that installed it; empty when not installed or applied by other means. */
  readonly version: string;
  /** Nodes that are to have an agent, that have one of the present image, and that have one ready. */
  readonly desired: number;
  readonly updated: number;
  readonly ready: number;
  /** The controller has taken up the last change. */
  readonly settled: boolean;
  /** Why pods cannot be made at all (admission, quota); empty mostly. */
  readonly trouble: string;
  readonly nodes: readonly NodeStatus[];
  /** Captures of tenants; undefined where they are not installed. */
  readonly captures?: CapturesStatus | undefined;
  /** What `install --observe` installed; undefined without it. */
  readonly observe?: ObserveStatus | undefined;
}

const NOTHING = { image: '', version: '', desired: 0, updated: 0, ready: 0, settled: true, trouble: '' } as const;

/** The DaemonSet of the agents, or undefined. */
export function findDaemonSet(api: ObjectApi): Promise<JsonObject | undefined> {
  const metadata = { namespace: AGENT_NAMESPACE, name: AGENT_DAEMONSET };
  return api.find({ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata });
}

/** Read the state of the installation. @throws KsnoopError as ObjectApi does; nodes are left out when the user may not list them */
export async function status(kube: Kube, signal?: AbortSignal): Promise<InstallStatus> {
  const where = { context: kube.context, namespace: AGENT_NAMESPACE };
  const api = new ObjectApi(kube, signal);
  const [daemonSet, pods, nodes, usage] = await Promise.all([
    findDaemonSet(api),
    api.list({ apiVersion: 'v1', kind: 'Pod' }, AGENT_NAMESPACE, { labelSelector: AGENT_SELECTOR }),
    listNodes(api),
    agentUsage(api),
  ]);
  if (daemonSet === undefined) return { ...where, ...NOTHING, installed: false, nodes: [] };
  const counts = objectAt(daemonSet, 'status');
  const count = (key: string) => optionalNumber(counts, key) ?? 0;
  const desired = count('desiredNumberScheduled');
  const views = pods.map(podView);
  return {
    ...where,
    installed: true,
    image: imageOf(daemonSet).image,
    resources: resourcesOf(daemonSet),
    version: stringsAt(objectAt(daemonSet, 'metadata'), 'labels')[VERSION_LABEL] ?? '',
    desired,
    updated: count('updatedNumberScheduled'),
    ready: count('numberReady'),
    settled: count('observedGeneration') >= (optionalNumber(objectAt(daemonSet, 'metadata'), 'generation') ?? 0),
    trouble: views.length < desired ? await creationTrouble(api) : '',
    captures: takesTickets(daemonSet) ? await capturesStatus(api) : undefined,
    observe: await observeStatus(api),
    nodes: nodeStatuses(daemonSet, views, nodes).map((node) => ({ ...node, usage: usage.get(node.pod) })),
  };
}

/** Nodes by name, or undefined when the user may not list them. */
async function listNodes(api: ObjectApi): Promise<Map<string, JsonObject> | undefined> {
  try {
    const nodes = await api.list({ apiVersion: 'v1', kind: 'Node' }, undefined);
    return new Map(nodes.map((node) => [String(objectAt(node, 'metadata').name), node]));
  } catch (thrown) {
    if (thrown instanceof KsnoopError && thrown.code === 'FORBIDDEN') return undefined;
    throw thrown;
  }
}

function nodeStatuses(
  daemonSet: JsonObject,
  pods: readonly PodView[],
  nodes: ReadonlyMap<string, JsonObject> | undefined,
): NodeStatus[] {
  const staying = new Set(pods.filter(({ deletionTimestamp }) => !deletionTimestamp).map(({ nodeName }) => nodeName));
  // A node has two agents for a moment while one replaces the other: the new one counts.
  const statuses = pods
    .filter(({ deletionTimestamp, nodeName }) => !deletionTimestamp || !staying.has(nodeName))
    .map((pod) => agentStatus(pod, isDown(nodes?.get(pod.nodeName))));
  const covered = new Set(pods.map(({ nodeName }) => nodeName));
  for (const [node, object] of nodes ?? []) {
    if (covered.has(node)) continue;
    const reason = uncovered(daemonSet, object);
    statuses.push({ node, pod: '', state: 'no agent', reason, nodeDown: isDown(object), restarts: 0 });
  }
  return statuses.sort((a, b) => a.node.localeCompare(b.node, 'en', { numeric: true }));
}

function agentStatus(pod: PodView, nodeDown: boolean): NodeStatus {
  const isLeaving = pod.deletionTimestamp !== undefined;
  const isReady = pod.ready && !nodeDown && !isLeaving;
  const container = pod.containers.find(({ name }) => name === AGENT_CONTAINER);
  const killed = container && memoryKill(container);
  const last = killed === undefined ? '' : `its container was ${killed}`;
  return {
    node: pod.nodeName,
    pod: pod.name,
    state: isReady ? 'ready' : isLeaving ? 'being replaced' : 'not ready',
    reason: isReady ? last : nodeDown ? 'the node itself is not ready' : podTrouble(pod) || pod.phase,
    nodeDown,
    restarts: container?.restarts ?? 0,
  };
}

function isDown(node: JsonObject | undefined): boolean {
  if (node === undefined) return false;
  const ready = objectsAt(objectAt(node, 'status'), 'conditions').find(({ type }) => type === 'Ready');
  return ready?.status !== 'True';
}

/** The DaemonSet controller's last message about pods that it could not create. */
async function creationTrouble(api: ObjectApi): Promise<string> {
  const fieldSelector = `involvedObject.kind=DaemonSet,involvedObject.name=${AGENT_DAEMONSET},reason=FailedCreate`;
  const events = await api
    .list({ apiVersion: 'v1', kind: 'Event' }, AGENT_NAMESPACE, { fieldSelector })
    .catch(() => []);
  return optionalString(events.at(-1) ?? {}, 'message') ?? '';
}
