import type { AgentTarget } from '../../wire/agent-target.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { namesOf } from '../../wire/pcapng-write.ts';
import { publicImageNote } from '../agentless/preference.ts';
import { AgentAccess } from '../agents/open-agent.ts';
import { ownConnectionFilter } from '../agents/own-connection.ts';
import type { TransportPreference } from '../agents/transport-preference.ts';
import type { FoundNode } from '../kinds/kind.ts';
import type { Kube } from '../kube/kube.ts';
import { type PodView, podLabel } from '../kube/pod.ts';
import { podNames } from '../names/names.ts';
import type { NodePlan } from '../streams/node-stream.ts';
import type { PeersSeen } from '../streams/peer-tap.ts';
import type { FollowChanges, TargetChange } from '../streams/target-change.ts';
import { CalledPods } from '../targets/called-pods.ts';
import { ClientPods } from '../targets/client-pods.ts';
import type { TargetEvent } from '../targets/followed-targets.ts';
import { nodeWarning, podWarnings } from '../targets/pod-state.ts';
import type { TargetQuery } from '../targets/target-find.ts';
import { findTargetSet, type TargetSet } from '../targets/target-set.ts';
import { ClusterNode, inCluster, type NodeContext, type NodeOptions } from './cluster-node.ts';
import { OwnNodes } from './own-nodes.ts';

/** Plans for the targets that can be captured, and the reasons why others cannot. */
export interface ClusterPlan {
  readonly plans: readonly NodePlan[];
  readonly pods: readonly PodView[];
  /** The name of each target for people, by its key. */
  readonly labels: ReadonlyMap<string, string>;
  readonly refused: readonly Refused[];
  readonly warnings: readonly string[];
  /** A filter for what must not be captured: the connection to the API server, where a node's network is captured. */
  readonly leaveOut: string | undefined;
  /** Whether something was found that has no pods yet, so that having nothing to capture now is no error. */
  readonly waiting: boolean;
  /** Whether targets may join later. */
  readonly growing: boolean;
  /** Emits targets that join and leave; undefined when the set is fixed. */
  readonly follow: FollowChanges | undefined;
  /** Whether the user may not list the agents: as a tenant they may capture all the same. */
  readonly denied: boolean;
  /** Takes the callers of captured pods (`--clients`) and what they call (`--depth`), so that these join. */
  readonly seen: PeersSeen | undefined;
}

interface Refused {
  readonly label: string;
  readonly error: KsnoopError;
}

export interface PlanOptions extends NodeOptions {
  /** How many targets are allowed at once. */
  readonly maximum: number;
  /** Whether pods that connect to the targets are captured as well. */
  readonly clients: boolean;
  /** How many calls away from a target pods are captured as well; 0: none. */
  readonly depth: number;
  /** Whether the network interfaces of the nodes that the pods are on are captured as well. */
  readonly ownNodes: boolean;
  /** How their agents are reached. */
  readonly transport: TransportPreference;
}

/**
 * Resolve targets to pods and nodes, and group them by node. Never rejects because of a single target.
 * @throws KsnoopError TOO_MANY_TARGETS
 */
export async function planCluster(
  kube: Kube,
  query: TargetQuery,
  options: PlanOptions,
  signal: AbortSignal,
): Promise<ClusterPlan> {
  // The agents are listed while the targets are resolved: a round trip is a tenth of the start.
  const agents = new AgentAccess(kube, options.transport, signal);
  const [found, denied] = await Promise.all([
    findTargetSet(kube, query, { maximum: options.maximum }, signal),
    agents.isDenied(),
  ]);
  const nodes = new NodesOfPlan(agents, { kube, options, signal });
  const refused = nodes.begin(found.initial);
  const ownNodes = options.ownNodes ? new OwnNodes(kube, signal) : undefined;
  const unread = ownNodes === undefined ? [] : await nodes.addOwn(ownNodes);
  const joining = options.clients || options.depth > 0;
  const growing = joining || (options.follow && found.growing);
  const waiting = growing ? found.waiting : [];
  const { pods } = nodes;
  const { agentless } = options.transport;
  const imageNote = agentless && publicImageNote(agentless);
  const usesNodeNetworks =
    options.ownNodes || found.initial.nodes.length > 0 || pods.some(({ hostNetwork }) => hostNetwork);
  const leaveOut = usesNodeNetworks ? await ownConnectionFilter(kube) : undefined;
  const { namespaces = [] } = query;
  const labelOf = (pod: PodView) => inCluster(options, podLabel(pod));
  const { maximum, follow } = options;
  const peers: Peers = {
    clients: options.clients ? new ClientPods(kube, namespaces) : undefined,
    called:
      options.depth > 0
        ? new CalledPods(kube, { namespaces, depth: options.depth, maximum, follow, labelOf })
        : undefined,
  };
  for (const pod of pods) addTarget(peers, labelOf(pod));
  return {
    plans: nodes.plans(),
    pods,
    labels: nodes.labels,
    refused: [...found.refused, ...(growing ? [] : found.waiting), ...refused],
    warnings: [
      ...found.notes,
      ...waiting.map(({ error }) => `${error.message} Pods that start later are captured.`),
      ...pods.flatMap((pod) => podWarnings(pod, options.wholeNode)),
      ...nodes.hosts.map((name) => nodeWarning(name)),
      ...(imageNote === undefined ? [] : [imageNote]),
      ...unread,
      ...(leaveOut === undefined
        ? []
        : [`traffic between this machine and the API server is not captured: ${leaveOut}`]),
    ],
    leaveOut,
    waiting: waiting.length > 0,
    growing,
    denied,
    follow: follow || joining ? follower({ found, options, nodes, peers, ownNodes }) : undefined,
    seen: joining
      ? {
          caller: peers.clients && ((label, address) => peers.clients?.see(label, address)),
          callee: peers.called && ((label, address) => peers.called?.see(label, address)),
        }
      : undefined,
  };
}

/** What joins because targets exchange packets with it. */
interface Peers {
  readonly clients: ClientPods | undefined;
  readonly called: CalledPods | undefined;
}

function addTarget({ clients, called }: Peers, label: string): void {
  clients?.addTarget(label);
  called?.addTarget(label);
}

/** What a plan follows while it is captured. */
interface Followed {
  readonly found: TargetSet;
  readonly options: PlanOptions;
  readonly nodes: NodesOfPlan;
  readonly peers: Peers;
  readonly ownNodes: OwnNodes | undefined;
}

/** Emits the changes of the set, the clients of its pods, what they call, and the nodes of all these. */
function follower({ found, options, nodes, peers, ownNodes }: Followed): FollowChanges {
  return async (emit, until, started) => {
    await started;
    if (until.aborted) return;
    const emitChange = (event: TargetEvent) => {
      emit(nodes.changeOf(event));
      if (event.type !== 'added' || event.pod.nodeName === '') return;
      void ownNodes?.join(event.pod.nodeName).then((node) => {
        if (node !== undefined && !until.aborted) emit(nodes.changeOf(node));
      });
    };
    const onTarget = (event: TargetEvent) => {
      if (event.type === 'added') addTarget(peers, inCluster(options, podLabel(event.pod)));
      emitChange(event);
    };
    await Promise.all([
      options.follow && found.follow(onTarget, until),
      peers.clients?.follow(emitChange, until),
      peers.called?.follow(emitChange, until),
    ]);
  };
}

/** The nodes that a plan has targets on, each with its targets. */
class NodesOfPlan {
  readonly labels = new Map<string, string>();
  /** The pods that can be captured. */
  readonly pods: PodView[] = [];
  /** The nodes whose own networks are captured. */
  readonly hosts: string[] = [];
  readonly #agents: AgentAccess;
  readonly #context: NodeContext;
  readonly #nodes = new Map<string, ClusterNode>();
  readonly #targets = new Map<ClusterNode, AgentTarget[]>();

  constructor(agents: AgentAccess, context: NodeContext) {
    this.#agents = agents;
    this.#context = context;
  }

  /** Add the targets found first. @returns those that cannot be captured */
  begin({ pods, nodes }: TargetSet['initial']): Refused[] {
    const refused: Refused[] = [];
    for (const { pod } of pods) {
      try {
        const node = this.#at(pod.nodeName);
        this.#add(node, node.join(pod), this.#text(podLabel(pod)));
        this.pods.push(pod);
      } catch (thrown) {
        if (!(thrown instanceof KsnoopError)) throw thrown;
        refused.push({ label: podLabel(pod), error: thrown });
      }
    }
    for (const node of nodes) this.#addHost(node);
    return refused;
  }

  /** Add the network interfaces of the nodes that have targets. @returns why some of them cannot be captured, a sentence each */
  async addOwn(ownNodes: OwnNodes): Promise<string[]> {
    for (const name of this.hosts) ownNodes.has(name);
    const names = [...this.#targets.keys()].map(({ node }) => node);
    const found = await Promise.all(names.map((name) => ownNodes.join(name)));
    const notes: string[] = [];
    for (const event of found) {
      if (event?.type === 'node-added') this.#addHost(event);
      else if (event !== undefined) notes.push(event.message);
    }
    return notes;
  }

  plans(): NodePlan[] {
    return [...this.#targets].map(([{ cluster, node, open, refresh }, targets]) => ({
      cluster,
      node,
      open,
      refresh,
      targets,
    }));
  }

  /** A change of the set as the streams take it. */
  changeOf(event: TargetEvent): TargetChange {
    switch (event.type) {
      case 'added': {
        const { pod } = event;
        const label = this.#text(podLabel(pod));
        try {
          const node = this.#at(pod.nodeName);
          const { cluster } = this.#context.options;
          return { type: 'added', node, target: node.join(pod), label, names: namesOf(cluster, podNames([pod])) };
        } catch (thrown) {
          if (!(thrown instanceof KsnoopError)) throw thrown;
          return { type: 'refused', label, error: thrown };
        }
      }
      case 'node-added': {
        const target = { key: this.#text(event.uid), kind: 'host' } as const;
        const label = this.#text(`node/${event.name}`);
        return { type: 'added', node: this.#at(event.name), target, label, names: [] };
      }
      case 'gone':
        return { type: 'gone', key: this.#text(event.uid) };
      default:
        return event;
    }
  }

  #text(text: string): string {
    return inCluster(this.#context.options, text);
  }

  #at(name: string): ClusterNode {
    const node = this.#nodes.get(name) ?? new ClusterNode(name, this.#agents.on(name), this.#context);
    this.#nodes.set(name, node);
    return node;
  }

  #addHost({ uid, name }: FoundNode): void {
    this.hosts.push(name);
    this.#add(this.#at(name), { key: this.#text(uid), kind: 'host' }, this.#text(`node/${name}`));
  }

  #add(node: ClusterNode, target: AgentTarget, label: string): void {
    this.#targets.set(node, [...(this.#targets.get(node) ?? []), target]);
    this.labels.set(target.key, label);
  }
}
