import type {
  NamespaceFacts,
  NetworkPolicyFacts,
  PodFacts,
  PolicyDirection,
  PolicyPeerFacts,
  PolicyPortFacts,
  PolicyRuleFacts,
} from '../cluster-facts.ts';
import { containsAddress } from './ip-block.ts';
import { every, type Known, some } from './known.ts';
import { selects, selectsNamespace } from './label-selector.ts';

/** One end of a connection: a pod, or an address. */
export interface PolicyEnd {
  /** As the other end's pod has it: behind a Service's DNAT, in front of any SNAT. */
  readonly address: string;
  readonly pod: PodFacts | undefined;
  /** Of an address without a pod: whether it is certain that it is no pod's. */
  readonly outside?: boolean;
}

export interface PolicyConnection {
  readonly from: PolicyEnd;
  readonly to: PolicyEnd;
  /** The destination's own port, behind a Service's targetPort. */
  readonly port: number;
  readonly protocol: string;
}

/** The policies of the namespaces of both ends. */
export interface PolicySet {
  readonly policies: readonly NetworkPolicyFacts[];
  readonly namespaces: readonly NamespaceFacts[];
}

/** What NetworkPolicies say about a connection. */
export type PolicyVerdict =
  /** No policy isolates the pods, or rules allow it. */
  | { readonly verdict: 'allowed' }
  /** Pods are isolated in this direction by these policies, and no rule of them allows it. */
  | { readonly verdict: 'denied'; readonly direction: PolicyDirection; readonly by: readonly NetworkPolicyFacts[] }
  /** It depends on what is not known, such as the labels of a namespace. */
  | { readonly verdict: 'unknown' };

const UNKNOWN: PolicyVerdict = { verdict: 'unknown' };
const ALLOWED: PolicyVerdict = { verdict: 'allowed' };

/**
 * Evaluate NetworkPolicies (networking.k8s.io/v1) for a connection: the source's pod must be let out and the destination's let in.
 * Policies of other kinds (the CNI's own, AdminNetworkPolicy) are not looked at, nor whether the CNI enforces any.
 */
export function evaluatePolicies(connection: PolicyConnection, set: PolicySet): PolicyVerdict {
  const { from, to } = connection;
  // A pod always reaches itself, and its node always reaches it (kubernetes.io, "Network Policies").
  if (from.address === to.address) return ALLOWED;
  if (to.pod?.nodeIps.includes(from.address)) return ALLOWED;
  const out = ofDirection('egress', connection, set);
  if (out.verdict === 'denied') return out;
  const into = ofDirection('ingress', connection, set);
  return into.verdict === 'denied' || out.verdict === 'allowed' ? into : out;
}

/** The policies that isolate a pod in a direction. */
export function isolating(
  pod: PodFacts,
  direction: PolicyDirection,
  policies: readonly NetworkPolicyFacts[],
): { readonly known: readonly NetworkPolicyFacts[]; readonly all: boolean } {
  const known: NetworkPolicyFacts[] = [];
  let all = true;
  for (const policy of policies) {
    if (policy.namespace !== pod.namespace || !policy.directions.includes(direction)) continue;
    const isSelected = selects(policy.podSelector, pod.labels ?? {});
    if (isSelected === true) known.push(policy);
    else if (isSelected === undefined) all = false;
  }
  return { known, all };
}

function ofDirection(direction: PolicyDirection, connection: PolicyConnection, set: PolicySet): PolicyVerdict {
  const { from, to } = connection;
  const [own, peer] = direction === 'egress' ? [from, to] : [to, from];
  if (own.pod === undefined) return own.outside === true ? ALLOWED : UNKNOWN;
  const { known, all } = isolating(own.pod, direction, set.policies);
  if (known.length === 0) return all ? ALLOWED : UNKNOWN;
  // What a policy means for a pod on its node's network depends on the CNI.
  if (own.pod.hostNetwork || peer.pod?.hostNetwork === true) return UNKNOWN;
  const isAllowed = some(known, (policy) =>
    some(policy[direction], (rule) => allows(rule, policy, { peer, connection, set })),
  );
  if (isAllowed === true) return ALLOWED;
  // A policy that may isolate the pod as well may also be one that allows it.
  return isAllowed === false && all ? { verdict: 'denied', direction, by: known } : UNKNOWN;
}

interface Asked {
  readonly peer: PolicyEnd;
  readonly connection: PolicyConnection;
  readonly set: PolicySet;
}

function allows(rule: PolicyRuleFacts, policy: NetworkPolicyFacts, { peer, connection, set }: Asked): Known {
  const isPort = rule.ports.length === 0 || some(rule.ports, (port) => isOfPort(port, connection));
  if (isPort === false) return false;
  const isPeer = rule.peers.length === 0 || some(rule.peers, (one) => isPeerOf(one, policy, peer, set));
  return isPeer === false ? false : isPeer && isPort;
}

function isOfPort({ protocol, port, endPort }: PolicyPortFacts, { to, ...wanted }: PolicyConnection): Known {
  if (protocol !== wanted.protocol) return false;
  if (port === undefined) return true;
  if (typeof port === 'number') return port <= wanted.port && wanted.port <= (endPort ?? port);
  // A name is one of the destination's pod, and of nothing else.
  if (to.pod === undefined) return to.outside === true ? false : undefined;
  return to.pod.ports.some((one) => one.name === port && one.protocol === protocol && one.port === wanted.port);
}

function isPeerOf(peer: PolicyPeerFacts, policy: NetworkPolicyFacts, end: PolicyEnd, { namespaces }: PolicySet): Known {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  if (ipBlock !== undefined) {
    const isIn = containsAddress(ipBlock, end.address);
    // Whether blocks mean pods too depends on the CNI.
    return isIn === true && end.outside !== true ? undefined : isIn;
  }
  if (podSelector === undefined && namespaceSelector === undefined) return undefined;
  const { pod } = end;
  if (pod === undefined) return end.outside === true ? false : undefined;
  const isThere = () =>
    namespaceSelector === undefined
      ? pod.namespace === policy.namespace
      : selectsNamespace(namespaceSelector, pod.namespace, namespaces);
  const isSelected = () => podSelector === undefined || selects(podSelector, pod.labels ?? {});
  return every([isThere, isSelected], (holds) => holds());
}

/** The policies because of which nothing at all reaches a port of a pod; none where a rule admits anybody, or may. */
export function closedBy(pod: PodFacts, port: number, protocol: string, set: PolicySet): readonly NetworkPolicyFacts[] {
  const { known, all } = isolating(pod, 'ingress', set.policies);
  if (!all || pod.hostNetwork) return [];
  const connection = {
    from: { address: '', pod: undefined },
    to: { address: pod.ips[0] ?? '', pod },
    port,
    protocol,
  };
  const isOpen = some(known, ({ ingress }) =>
    some(ingress, ({ ports }) => ports.length === 0 || some(ports, (one) => isOfPort(one, connection))),
  );
  return isOpen === false ? known : [];
}
