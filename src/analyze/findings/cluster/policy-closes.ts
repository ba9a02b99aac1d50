import type { ClusterFacts, NetworkPolicyFacts, ServiceFacts } from '../cluster-facts.ts';
import { type Finding, withoutPackets } from '../finding.ts';
import { closedBy } from '../policy/evaluate.ts';
import { listed } from '../words.ts';
import { selectedPods } from './subject.ts';

/**
 * NETWORK_POLICY_DROPS, of the objects alone: NetworkPolicies admit no client to a port of all pods of the Service. Whether the
 * cluster's network enforces policies is not known from objects.
 */
export function policyCloses(service: ServiceFacts, facts: ClusterFacts): Finding[] {
  const { pods, networkPolicies: policies, namespaces } = facts;
  if (pods === 'unreadable' || policies === 'unreadable') return [];
  const selected = selectedPods(service, pods);
  if (selected.length === 0) return [];
  const { namespace, name } = service;
  return service.ports.flatMap(({ port, protocol, targetPort = port }) => {
    const by = new Map<string, NetworkPolicyFacts>();
    for (const pod of selected) {
      const number = targetPortOf(targetPort, protocol, pod);
      const closing = number === undefined ? [] : closedBy(pod, number, protocol, { policies, namespaces });
      if (closing.length === 0) return [];
      for (const policy of closing) by.set(policy.name, policy);
    }
    const names = [...by.keys()];
    return {
      code: 'NETWORK_POLICY_DROPS',
      severity: 'warning' as const,
      confidence: 'hint' as const,
      subject: `${name}.${namespace}`,
      message: `No NetworkPolicy allows traffic to port ${port} of ${name}.${namespace}.`,
      evidence: [withoutPackets(`no rule of ${policyText(names)} allows traffic to the port`)],
      next: `kubectl describe networkpolicy -n ${namespace} ${names[0] ?? ''}`,
      otherwise:
        'the network plugin does not enforce NetworkPolicies, or policies of another kind allow the connections',
      cases: 1,
      attempts: 1,
    };
  });
}

/** `NetworkPolicy deny-all`, `NetworkPolicies a and b`. */
export function policyText(names: readonly string[]): string {
  return `${names.length === 1 ? 'NetworkPolicy' : 'NetworkPolicies'} ${listed(names, 3)}`;
}

/** The number of the port behind a Service; undefined for a name that the pod does not declare. */
export function targetPortOf(
  target: number | string,
  protocol: string,
  pod: { readonly ports: readonly { name: string | undefined; port: number; protocol: string }[] },
): number | undefined {
  if (typeof target === 'number') return target;
  return pod.ports.find((one) => one.name === target && one.protocol === protocol)?.port;
}
