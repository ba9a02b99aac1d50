import type { ClusterFacts, IngressFacts } from '../cluster-facts.ts';
import type { Finding } from '../finding.ts';
import { listed } from '../words.ts';
import { ofObjects, type Subjects } from './subject.ts';

/** INGRESS_BACKEND_MISSING: a Service that an Ingress names does not exist, or does not have the port. */
export function ingressBackend(ingress: IngressFacts, { services }: ClusterFacts, subjects: Subjects): Finding[] {
  if (services === 'unreadable') return [];
  const { namespace, name } = ingress;
  const isSubject = subjects.isIngress(namespace, name);
  return ingress.backends.flatMap(({ host, path, service, port }) => {
    if (!isSubject && !subjects.isService(namespace, service)) return [];
    const found = services.find((one) => one.namespace === namespace && one.name === service);
    const hasPort =
      port === undefined || found?.ports.some((one) => (typeof port === 'number' ? one.port : one.name) === port);
    if (found !== undefined && hasPort) return [];
    const ports = found?.ports.map((one) => `${one.name ?? ''} ${one.port}`.trim()) ?? [];
    return {
      code: 'INGRESS_BACKEND_MISSING',
      severity: 'error' as const,
      confidence: 'proven' as const,
      subject: `${namespace}/${name}`,
      message:
        found === undefined
          ? `Ingress ${namespace}/${name} leads to the Service ${service}, which does not exist.`
          : `Ingress ${namespace}/${name} leads to port ${port} of the Service ${service}, which does not have it.`,
      evidence: [
        ofObjects(`the rule is for ${host ?? 'any host'}, path ${path ?? '/'}`),
        ...(found === undefined ? [] : [ofObjects(`${service} has ${listed(ports, 5) || 'no ports'}`)]),
      ],
      next: `kubectl describe ingress -n ${namespace} ${name}`,
      otherwise: undefined,
      cases: 1,
      attempts: 1,
    };
  });
}
