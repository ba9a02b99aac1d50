import type { ClusterFacts, ServiceFacts } from '../cluster-facts.ts';
import type { Finding } from '../finding.ts';
import { ingressBackend } from './ingress-backend.ts';
import { noEndpoints } from './no-endpoints.ts';
import { policyCloses } from './policy-closes.ts';
import { selectorEmpty } from './selector-empty.ts';
import type { Subjects } from './subject.ts';
import { targetPort } from './target-port.ts';

/**
 * What the cluster's objects alone prove about the objects that a user asks about. What could not be read proves nothing.
 * A selector without pods explains why there are no endpoints.
 */
export function clusterFindings(facts: ClusterFacts, subjects: Subjects): Finding[] {
  const services = facts.services === 'unreadable' ? [] : facts.services;
  const ingresses = facts.ingresses === 'unreadable' ? [] : facts.ingresses;
  return [
    ...services
      .filter(({ namespace, name }) => subjects.isService(namespace, name))
      .flatMap((service) => ofService(service, facts)),
    ...ingresses.flatMap((ingress) => ingressBackend(ingress, facts, subjects)),
  ];
}

function ofService(service: ServiceFacts, facts: ClusterFacts): Finding[] {
  const empty = selectorEmpty(service, facts);
  if (empty.length > 0) return empty;
  return [...targetPort(service, facts), ...noEndpoints(service, facts), ...policyCloses(service, facts)];
}
