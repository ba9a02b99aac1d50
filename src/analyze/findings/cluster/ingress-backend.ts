import type { ClusterFacts, IngressFacts } from '../cluster-facts.ts';
import { type Finding, withoutPackets } from '../finding.ts';
import { listed } from '../words.ts';
import { isOfSubjects, type Subjects } from './subject.ts';

/**
 * INGRESS_BACKEND_MISSING: the class that an Ingress names does not exist, or a Service that it names does not, or does not
 * have the port.
 */
export function ingressBackend(ingress: IngressFacts, facts: ClusterFacts, subjects: Subjects): Finding[] {
  return [...missingClass(ingress, facts, subjects), ...missingServices(ingress, facts, subjects)];
}

function missingClass(ingress: IngressFacts, { absentIngressClasses }: ClusterFacts, subjects: Subjects): Finding[] {
  const { namespace, name, className } = ingress;
  if (className === undefined || !absentIngressClasses.includes(className)) return [];
  if (!isOfSubjects(ingress, subjects)) return [];
  return [
    {
      code: 'INGRESS_BACKEND_MISSING',
      severity: 'error',
      confidence: 'proven',
      subject: `${namespace}/${name}`,
      message: `Ingress ${namespace}/${name} names the class ${className}, which does not exist: no controller serves it.`,
      evidence: [withoutPackets(`the cluster has no IngressClass ${className}`)],
      next: 'kubectl get ingressclasses',
      otherwise: undefined,
      cases: 1,
      attempts: 1,
    },
  ];
}

function missingServices(ingress: IngressFacts, { services }: ClusterFacts, subjects: Subjects): Finding[] {
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
        withoutPackets(`the rule is for ${host ?? 'any host'}, path ${path ?? '/'}`),
        ...(found === undefined ? [] : [withoutPackets(`${service} has ${listed(ports, 5) || 'no ports'}`)]),
      ],
      next: `kubectl describe ingress -n ${namespace} ${name}`,
      otherwise: undefined,
      cases: 1,
      attempts: 1,
    };
  });
}
