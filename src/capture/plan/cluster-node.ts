import type { AgentTarget, PodAgentTarget } from '../../wire/agent-target.ts';
import { find } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { type PodView, podView } from '../kube/pod.ts';
import { resourcePath } from '../kube/resource.ts';
import type { NodeAccess } from '../streams/node-stream.ts';
import type { OpenTransport } from '../streams/transport.ts';
import { containerFilter, hostNetworkFilter } from '../targets/container-filter.ts';
import { checkCapturable } from '../targets/pod-state.ts';

/** How pods become targets. */
export interface NodeOptions {
  /** Only the ports of this container. */
  readonly container: string | undefined;
  /** Whether pods are waited for. */
  readonly follow: boolean;
  /** Of pods on their node's network all of the node's traffic, not only their ports. */
  readonly wholeNode: boolean;
  /** Of a capture of several clusters: how this one is called. It stands in front of labels and keys: UIDs may be the same in a copy. */
  readonly cluster?: string | undefined;
}

/** A label or key as one of the cluster, where the capture has several. */
export function inCluster({ cluster }: NodeOptions, text: string): string {
  return cluster === undefined ? text : `${cluster}/${text}`;
}

/** What all nodes of a cluster share. */
export interface NodeContext {
  readonly kube: Kube;
  readonly options: NodeOptions;
  readonly signal: AbortSignal;
}

/** One node of the cluster and the pods on it that are targets. */
export class ClusterNode implements NodeAccess {
  readonly cluster: string;
  readonly node: string;
  readonly open: OpenTransport;
  readonly #kube: Kube;
  readonly #options: NodeOptions;
  readonly #signal: AbortSignal;
  readonly #pods = new Map<string, PodView>();

  /** @param open reaches the node's agent */
  constructor(node: string, open: OpenTransport, { kube, options, signal }: NodeContext) {
    this.cluster = kube.context;
    this.node = node;
    this.open = open;
    this.#kube = kube;
    this.#options = options;
    this.#signal = signal;
  }

  /**
   * A pod of this node as a target for its agent.
   * @throws KsnoopError why it cannot be captured: as `checkCapturable` and `containerFilter` have it
   */
  join(pod: PodView): AgentTarget {
    checkCapturable(pod, this.#options.follow);
    const target = this.#target(pod);
    this.#pods.set(target.key, pod);
    return target;
  }

  /** Of the targets, those that still exist: a pod by its UID, with the containers it has now. */
  readonly refresh = async (wanted: readonly AgentTarget[]): Promise<AgentTarget[]> => {
    const living: AgentTarget[] = [];
    for (const target of wanted) {
      const known = this.#pods.get(target.key);
      // A node stays a target until its agent reports its end.
      if (target.kind === 'host') living.push(target);
      if (known === undefined) continue;
      const object = await find(this.#kube, resourcePath('v1', known.namespace, 'pods', known.name), this.#signal);
      const pod = object === undefined ? undefined : podView(object);
      const ended = pod === undefined || pod.phase === 'Succeeded' || pod.phase === 'Failed';
      if (ended || pod.uid !== known.uid) this.#pods.delete(target.key);
      else living.push(this.#target(pod));
    }
    return living;
  };

  #target(pod: PodView): PodAgentTarget {
    const { container, follow, wholeNode } = this.#options;
    const hostPorts = pod.hostNetwork && !wholeNode ? hostNetworkFilter(pod) : undefined;
    const filter = container === undefined ? hostPorts : containerFilter(pod, container);
    return {
      key: inCluster(this.#options, pod.uid),
      kind: 'pod',
      namespace: pod.namespace,
      pod: pod.name,
      uid: pod.configHash ?? pod.uid,
      containers: pod.containers.filter(({ id }) => id !== '').map(({ name, id }) => ({ name, id })),
      hostNetwork: pod.hostNetwork,
      ...(filter !== undefined && { filter }),
      ...(follow && { wait: true }),
    };
  }
}
