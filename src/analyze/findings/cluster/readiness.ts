import type { ClusterFacts, ReadinessFacts, ServiceFacts } from '../cluster-facts.ts';
import { type Finding, withoutPackets } from '../finding.ts';
import { listed } from '../words.ts';
import { podEvents } from './pod-events.ts';
import { selectedPods } from './subject.ts';

/** A pod of a rollout becomes ready, or ceases to be, once. */
const CHANGES = 2;

/** READINESS_FLAPPING: a pod of the Service became ready and unready again while it was watched. */
export function readinessFlapping(
  service: ServiceFacts,
  facts: ClusterFacts,
  readiness: readonly ReadinessFacts[],
): Finding[] {
  const { pods } = facts;
  if (pods === 'unreadable') return [];
  const selected = selectedPods(service, pods).filter(({ deleted }) => deleted === undefined);
  const changesOf = (pod: { namespace: string; name: string }) =>
    readiness.find((one) => one.namespace === pod.namespace && one.pod === pod.name)?.changes ?? 0;
  const flapping = selected.filter((pod) => changesOf(pod) >= CHANGES);
  const [first] = flapping;
  if (first === undefined) return [];
  const { namespace, name } = service;
  const shown = flapping.map((pod) => `${pod.name} (${changesOf(pod)} times)`);
  return [
    {
      code: 'READINESS_FLAPPING',
      severity: 'warning',
      confidence: 'proven',
      subject: `${name}.${namespace}`,
      message: `Pods of ${name}.${namespace} become ready and unready again: ${listed(flapping.map((pod) => pod.name))}.`,
      evidence: [
        withoutPackets(`the condition Ready changed while it was watched: ${listed(shown)}`),
        ...podEvents(flapping, facts),
      ],
      next: `kubectl describe pod -n ${namespace} ${first.name}`,
      otherwise: undefined,
      cases: flapping.length,
      attempts: selected.length,
    },
  ];
}
