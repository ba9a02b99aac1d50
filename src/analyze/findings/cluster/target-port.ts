import type { ClusterFacts, ServiceFacts } from '../cluster-facts.ts';
import { type Finding, withoutPackets } from '../finding.ts';
import { listed } from '../words.ts';
import { selectedPods } from './subject.ts';

/**
 * SERVICE_TARGETPORT_MISMATCH: a named targetPort that no selected pod declares. A number needs no declaration, so nothing
 * follows from one.
 */
export function targetPort(service: ServiceFacts, { pods }: ClusterFacts): Finding[] {
  if (pods === 'unreadable') return [];
  const selected = selectedPods(service, pods);
  const [first] = selected;
  if (first === undefined) return [];
  const { namespace, name } = service;
  return service.ports.flatMap(({ port, protocol, targetPort: target }) => {
    if (typeof target !== 'string') return [];
    if (selected.some(({ ports }) => ports.some((one) => one.name === target && one.protocol === protocol))) return [];
    const declared = [
      ...new Set(
        selected.flatMap(({ ports }) => ports.map((one) => `${one.name ?? ''} ${one.port}/${one.protocol}`.trim())),
      ),
    ];
    return {
      code: 'SERVICE_TARGETPORT_MISMATCH',
      severity: 'error' as const,
      confidence: 'proven' as const,
      subject: `${name}.${namespace}`,
      message: `Port ${port} of ${name}.${namespace} has no target: no pod declares a ${protocol} port named "${target}".`,
      evidence: [
        withoutPackets(
          declared.length === 0
            ? `pods such as ${first.name} declare no ports`
            : `pods such as ${first.name} declare ${listed(declared, 5)}`,
        ),
      ],
      next: `kubectl edit service -n ${namespace} ${name}`,
      otherwise: undefined,
      cases: 1,
      attempts: 1,
    };
  });
}
