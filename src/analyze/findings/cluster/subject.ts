import type { ClusterFacts, IngressFacts, Labels, PodFacts, ServiceFacts } from '../cluster-facts.ts';

/** The objects that a user asks about. */
export interface Subjects {
  isService(namespace: string, name: string): boolean;
  isIngress(namespace: string, name: string): boolean;
}

/** Whether an Ingress is asked about, or leads to a Service that is. */
export function isOfSubjects({ namespace, name, backends }: IngressFacts, subjects: Subjects): boolean {
  return subjects.isIngress(namespace, name) || backends.some(({ service }) => subjects.isService(namespace, service));
}

/** The pods that a Service selects: none without a selector, and no pod that has ended. */
export function selectedPods(service: ServiceFacts, pods: readonly PodFacts[]): PodFacts[] {
  const wanted = Object.entries(service.selector);
  if (wanted.length === 0) return [];
  return pods.filter(
    ({ namespace, phase, labels = {} }) =>
      namespace === service.namespace &&
      phase !== 'Succeeded' &&
      phase !== 'Failed' &&
      wanted.every(([key, value]) => labels[key] === value),
  );
}

/** Whether any endpoint of a Service is ready; undefined where EndpointSlices could not be read. */
export function hasReadyEndpoint(service: ServiceFacts, facts: ClusterFacts): boolean | undefined {
  if (facts.endpointSlices === 'unreadable') return undefined;
  return facts.endpointSlices
    .filter((slice) => slice.namespace === service.namespace && slice.service === service.name)
    .some(({ endpoints }) => endpoints.some(({ ready }) => ready));
}

/** Objects that are younger may belong to a rollout that is under way, s. */
const YOUNG_S = 60;

/** The age of an object, s, where it is that of a rollout that may be under way; undefined where it is older or not known. */
export function youth(created: bigint | undefined, at: bigint): number | undefined {
  if (created === undefined) return undefined;
  const age = Number(at - created) / 1e9;
  // The clock of the API server may be ahead.
  return age < YOUNG_S ? Math.max(0, Math.round(age)) : undefined;
}

/** `app=web,tier=front`, as kubectl's `-l` takes it. */
export function selectorText(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
