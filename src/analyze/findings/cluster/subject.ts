import type { ClusterFacts, Labels, PodFacts, ServiceFacts } from '../cluster-facts.ts';
import type { Evidence } from '../finding.ts';

/** The objects that a user asks about. */
export interface Subjects {
  isService(namespace: string, name: string): boolean;
  isIngress(namespace: string, name: string): boolean;
}

/** Evidence of objects: it has no packets. */
export function ofObjects(text: string): Evidence {
  return { text, flows: [], times: undefined, where: undefined };
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

/** `app=web,tier=front`, as kubectl's `-l` takes it. */
export function selectorText(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
