import { EXIT, KsnoopError } from '../../wire/errors.ts';
import { type JsonObject, objectAt, objectsAt, optionalString, stringsAt } from '../../wire/guard.ts';
import { AGENT_DAEMONSET, AGENT_NAMESPACE, AGENT_SELECTOR } from '../agent-objects.ts';
import { find, list } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { type PodView, podTrouble, podView } from '../kube/pod.ts';
import { resourcePath } from '../kube/resource.ts';

/** What who cannot use agents may do. */
export const AGENTLESS_HINT =
  'Or capture without agents, from within the pods: --agentless (needs create pods/exec and patch pods/ephemeralcontainers in their namespace; --dry-run checks that)';
const INSTALL_HINT = `Install the agents: ksnoop install --image IMAGE. ${AGENTLESS_HINT}`;

/** The agents of a cluster at one moment: one call serves any number of nodes. */
export class Agents {
  readonly #kube: Kube;
  readonly #pods: readonly PodView[];

  constructor(kube: Kube, pods: readonly PodView[]) {
    this.#kube = kube;
    this.#pods = pods;
  }

  /** Nodes whose agent is ready. */
  get nodes(): string[] {
    return this.#pods.filter(isUsable).map(({ nodeName }) => nodeName);
  }

  /**
   * The agent pod of a node.
   * @throws KsnoopError AGENT_NOT_INSTALLED, NO_AGENT_ON_NODE with the reason, AGENT_NOT_READY with the pod's trouble
   */
  async on(nodeName: string, signal?: AbortSignal): Promise<PodView> {
    const here = this.#pods.filter((pod) => pod.nodeName === nodeName);
    const usable = here.find(isUsable);
    if (usable !== undefined) return usable;
    const pod = here.find(({ deletionTimestamp }) => deletionTimestamp === undefined) ?? here[0];
    if (pod === undefined) throw await this.#missing(nodeName, signal);
    const state = pod.deletionTimestamp === undefined ? podTrouble(pod) || `phase ${pod.phase}` : 'being replaced';
    throw new KsnoopError('AGENT_NOT_READY', `The agent on node ${nodeName} (${pod.name}) is not ready: ${state}.`, {
      hint: 'See all nodes: ksnoop status',
    });
  }

  async #missing(nodeName: string, signal: AbortSignal | undefined): Promise<KsnoopError> {
    const path = resourcePath('apps/v1', AGENT_NAMESPACE, 'daemonsets', AGENT_DAEMONSET);
    const [daemonSet, node] = await Promise.all([
      find(this.#kube, path, signal),
      // Many users may not read nodes; the error is useful without the reason.
      find(this.#kube, resourcePath('v1', undefined, 'nodes', nodeName), signal).catch(() => undefined),
    ]);
    if (daemonSet === undefined) {
      return new KsnoopError(
        'AGENT_NOT_INSTALLED',
        `The ksnoop agents are not installed in the cluster of context "${this.#kube.context}".`,
        { hint: INSTALL_HINT, exit: EXIT.failed },
      );
    }
    const why = node === undefined ? '' : uncovered(daemonSet, node);
    return new KsnoopError('NO_AGENT_ON_NODE', `Node ${nodeName} has no ksnoop agent${why && `: ${why}`}.`, {
      hint: 'See all nodes: ksnoop status',
    });
  }
}

/** List the agents' pods; with `nodeName` only that node's. */
export async function findAgents(kube: Kube, nodeName?: string, signal?: AbortSignal): Promise<Agents> {
  const selectors = { labelSelector: AGENT_SELECTOR, ...(nodeName && { fieldSelector: `spec.nodeName=${nodeName}` }) };
  const { items } = await list(kube, resourcePath('v1', AGENT_NAMESPACE, 'pods'), selectors, signal);
  return new Agents(kube, items.map(podView));
}

function isUsable(pod: PodView): boolean {
  return pod.ready && pod.deletionTimestamp === undefined;
}

/** Why a DaemonSet has no pod on a node, as far as the two objects show. */
export function uncovered(daemonSet: JsonObject, node: JsonObject): string {
  const spec = objectAt(objectAt(objectAt(daemonSet, 'spec'), 'template'), 'spec');
  const labels = stringsAt(objectAt(node, 'metadata'), 'labels');
  for (const [label, value] of Object.entries(stringsAt(spec, 'nodeSelector'))) {
    if (labels[label] !== value)
      return `the DaemonSet selects nodes with ${label}=${value}, this one has ${labels[label] ?? 'no such label'}`;
  }
  const arch = labels['kubernetes.io/arch'] ?? '';
  if (arch !== '' && arch !== 'amd64' && arch !== 'arm64') return `there is no agent for its architecture, ${arch}`;
  const tolerations = objectsAt(spec, 'tolerations');
  const taint = objectsAt(objectAt(node, 'spec'), 'taints').find(
    (taint) => taint.effect !== 'PreferNoSchedule' && !tolerations.some((toleration) => tolerates(toleration, taint)),
  );
  if (taint !== undefined) return `the DaemonSet does not tolerate its taint ${taint.key}:${taint.effect}`;
  const ready = objectsAt(objectAt(node, 'status'), 'conditions').find(({ type }) => type === 'Ready');
  if (ready?.status !== 'True')
    return `the node is not ready: ${optionalString(ready ?? {}, 'message') ?? 'no reason given'}`;
  return '';
}

function tolerates(toleration: JsonObject, taint: JsonObject): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  return toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '');
}
