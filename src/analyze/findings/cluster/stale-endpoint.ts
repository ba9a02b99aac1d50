import type { ClusterFacts, ServiceFacts } from '../cluster-facts.ts';
import { type Finding, withoutPackets } from '../finding.ts';
import { counted, listed } from '../words.ts';

/** An endpoint counts as stale after this time: EndpointSlices follow their pods with a delay, ns. */
const STALE_NS = 10_000_000_000n;

/**
 * STALE_ENDPOINT, of the objects alone: a ready endpoint names a pod that does not exist, at two times that are 10 s or more apart.
 * @param before the same objects, read earlier
 */
export function staleEndpoint(service: ServiceFacts, facts: ClusterFacts, before: ClusterFacts | undefined): Finding[] {
  if (before === undefined || facts.at - before.at < STALE_NS) return [];
  const earlier = new Set(withoutPod(service, before));
  const stale = withoutPod(service, facts).filter((endpoint) => earlier.has(endpoint));
  if (stale.length === 0) return [];
  const { namespace, name } = service;
  return [
    {
      code: 'STALE_ENDPOINT',
      severity: 'error',
      confidence: 'proven',
      subject: `${name}.${namespace}`,
      message: `${name}.${namespace} has ${counted(stale.length, 'endpoint')} whose pod does not exist: some connections to it fail.`,
      evidence: [
        withoutPackets(`these endpoints are ready, but no pod has their name or address: ${listed(stale, 3)}`),
      ],
      next: `kubectl get endpointslices -n ${namespace} -l kubernetes.io/service-name=${name} -o yaml`,
      otherwise: undefined,
      cases: stale.length,
      attempts: stale.length,
    },
  ];
}

/** `10.244.1.7 (web-1)`: ready endpoints of a Service whose pod does not exist. */
function withoutPod({ namespace, name }: ServiceFacts, { endpointSlices, pods }: ClusterFacts): string[] {
  if (endpointSlices === 'unreadable' || pods === 'unreadable') return [];
  return endpointSlices
    .filter((slice) => slice.namespace === namespace && slice.service === name)
    .flatMap(({ endpoints }) => endpoints)
    .filter(({ ready, pod, addresses }) => {
      if (!ready || pod === undefined || addresses.length === 0) return false;
      return !pods.some(
        (one) => (one.namespace === namespace && one.name === pod) || one.ips.some((ip) => addresses.includes(ip)),
      );
    })
    .map(({ addresses, pod }) => `${addresses[0]} (${pod})`);
}
