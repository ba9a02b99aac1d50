import type { ClusterFacts, ReadinessFacts, ServiceFacts } from '../cluster-facts.ts';
import type { Finding } from '../finding.ts';
import { ingressBackend } from './ingress-backend.ts';
import { ingressTls } from './ingress-tls.ts';
import { noEndpoints } from './no-endpoints.ts';
import { policyCloses } from './policy-closes.ts';
import { readinessFlapping } from './readiness.ts';
import { selectorEmpty } from './selector-empty.ts';
import { staleEndpoint } from './stale-endpoint.ts';
import type { Subjects } from './subject.ts';
import { targetPort } from './target-port.ts';

/** Codes of findings that need objects, with or without packets. */
export const CLUSTER_CODES: readonly string[] = [
  'INGRESS_BACKEND_MISSING',
  'NETWORK_POLICY_DROPS',
  'READINESS_FLAPPING',
  'SERVICE_NO_ENDPOINTS',
  'SERVICE_PORT_MISSING',
  'SERVICE_SELECTOR_EMPTY',
  'SERVICE_TARGETPORT_MISMATCH',
  'STALE_ENDPOINT',
  'TRAFFIC_POLICY_NO_LOCAL_ENDPOINT',
];

/** What is known besides the objects as they are now. */
export interface Watched {
  /** The same objects, read earlier. */
  readonly before?: ClusterFacts | undefined;
  readonly readiness?: readonly ReadinessFacts[] | undefined;
}

/**
 * What the cluster's objects alone prove about the objects that a user asks about. What could not be read proves nothing.
 * A selector without pods explains why there are no endpoints.
 */
export function clusterFindings(facts: ClusterFacts, subjects: Subjects, watched: Watched = {}): Finding[] {
  const services = facts.services === 'unreadable' ? [] : facts.services;
  const ingresses = facts.ingresses === 'unreadable' ? [] : facts.ingresses;
  return [
    ...services
      .filter(({ namespace, name }) => subjects.isService(namespace, name))
      .flatMap((service) => ofService(service, facts, watched)),
    ...ingresses.flatMap((ingress) => [
      ...ingressBackend(ingress, facts, subjects),
      ...ingressTls(ingress, facts, subjects),
    ]),
  ];
}

function ofService(service: ServiceFacts, facts: ClusterFacts, { before, readiness = [] }: Watched): Finding[] {
  const empty = selectorEmpty(service, facts);
  if (empty.length > 0) return empty;
  return [
    ...targetPort(service, facts),
    ...noEndpoints(service, facts),
    ...policyCloses(service, facts),
    ...staleEndpoint(service, facts, before),
    ...readinessFlapping(service, facts, readiness),
  ];
}
