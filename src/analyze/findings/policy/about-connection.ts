import type { ConnectionFacts, PoliciesOfConnection } from '../../connection-facts.ts';
import { podAt, serviceAt } from '../cluster/blocked.ts';
import { targetPortOf } from '../cluster/policy-closes.ts';
import { selectedPods } from '../cluster/subject.ts';
import type { ClusterFacts, NetworkPolicyFacts } from '../cluster-facts.ts';
import { evaluatePolicies, isolating, type PolicyVerdict } from './evaluate.ts';

/** Policies named, at most. */
const NAMES_MAXIMUM = 5;

/** A TCP connection as its client has it, in front of a Service's translation. */
export interface Ends {
  readonly client: string;
  readonly server: string;
  readonly port: number;
}

/**
 * What the objects show about a connection. Of a Service every pod that it may lead to counts.
 * @param proxyMode kube-proxy's, where it is known
 */
export function factsAbout(ends: Ends, facts: ClusterFacts, proxyMode: string | undefined): ConnectionFacts {
  const isService =
    facts.services !== 'unreadable' && facts.services.some(({ clusterIPs }) => clusterIPs.includes(ends.server));
  return { policies: policiesOf(ends, facts), proxyMode: isService ? proxyMode : undefined };
}

function policiesOf(ends: Ends, facts: ClusterFacts): PoliciesOfConnection | undefined {
  const { pods, networkPolicies: policies, namespaces } = facts;
  if (pods === 'unreadable' || policies === 'unreadable') return undefined;
  const direct = podAt(ends.server, facts);
  const behind = serviceAt(ends, facts);
  const servers = direct !== undefined ? [direct] : behind === undefined ? [] : selectedPods(behind.service, pods);
  const client = podAt(ends.client, facts);
  const isolatingOnes: readonly NetworkPolicyFacts[] = [
    ...(client === undefined ? [] : isolating(client, 'egress', policies).known),
    ...servers.flatMap((pod) => isolating(pod, 'ingress', policies).known),
  ];
  if (isolatingOnes.length === 0) return undefined;
  const verdicts = servers.map((pod): PolicyVerdict => {
    const [address] = pod.ips;
    const port = direct !== undefined ? ends.port : targetPortOf(behind?.port.targetPort ?? ends.port, 'TCP', pod);
    if (address === undefined || port === undefined) return { verdict: 'unknown' };
    const from = { address: ends.client, pod: client };
    return evaluatePolicies({ from, to: { address, pod }, port, protocol: 'TCP' }, { policies, namespaces });
  });
  const denied = verdicts.flatMap((verdict) => (verdict.verdict === 'denied' ? verdict.by : []));
  const isAll = (wanted: PolicyVerdict['verdict']) =>
    verdicts.length > 0 && verdicts.every(({ verdict }) => verdict === wanted);
  if (isAll('denied')) return { names: namesOf(denied), verdict: 'denied' };
  return { names: namesOf(isolatingOnes), verdict: isAll('allowed') ? 'allowed' : 'unknown' };
}

function namesOf(policies: readonly NetworkPolicyFacts[]): string[] {
  return [...new Set(policies.map(({ namespace, name }) => `${namespace}/${name}`))].slice(0, NAMES_MAXIMUM);
}
