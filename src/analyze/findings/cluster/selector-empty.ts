import type { ClusterFacts, PodFacts, ServiceFacts } from '../cluster-facts.ts';
import { type Finding, withoutPackets } from '../finding.ts';
import { counted, listed } from '../words.ts';
import { hasReadyEndpoint, selectedPods, selectorText, youth } from './subject.ts';

/** SERVICE_SELECTOR_EMPTY: the selector matches no pod. Pods whose labels differ in one pair are named. */
export function selectorEmpty(service: ServiceFacts, facts: ClusterFacts): Finding[] {
  const { pods } = facts;
  const isWithout = Object.keys(service.selector).length === 0 || service.type === 'ExternalName';
  if (isWithout || pods === 'unreadable' || hasReadyEndpoint(service, facts) !== false) return [];
  if (selectedPods(service, pods).length > 0) return [];
  const { namespace, name } = service;
  const near = pods.filter((pod) => pod.namespace === namespace && isNear(service, pod));
  // Without a near name the pods may still come.
  const age = near.length > 0 ? undefined : youth(service.created, facts.at);
  const shown = near.map((pod) => `${pod.name} (${differences(service, pod)})`);
  return [
    {
      code: 'SERVICE_SELECTOR_EMPTY',
      severity: age === undefined ? 'error' : 'warning',
      confidence: 'proven',
      subject: `${name}.${namespace}`,
      message: `The selector of ${name}.${namespace} matches no pod.`,
      evidence: [
        withoutPackets(`no pod of namespace ${namespace} has the labels ${selectorText(service.selector)}`),
        ...(shown.length > 0 ? [withoutPackets(`pods whose labels differ in one: ${listed(shown)}`)] : []),
      ],
      next: `kubectl get pods -n ${namespace} --show-labels`,
      otherwise:
        near.length > 0
          ? undefined
          : age === undefined
            ? 'its workload is scaled to 0, or does not exist yet'
            : `its workload does not exist yet: the Service was created ${counted(age, 'second')} ago`,
      cases: 1,
      attempts: 1,
    },
  ];
}

/** All pairs but one are as selected, and that one's label exists; with a single pair its value must be similar. */
function isNear({ selector }: ServiceFacts, { labels = {} }: PodFacts): boolean {
  const wanted = Object.entries(selector);
  const different = wanted.filter(([key, value]) => labels[key] !== value);
  const [pair] = different;
  if (different.length !== 1 || pair === undefined) return false;
  const value = labels[pair[0]];
  return value !== undefined && (wanted.length > 1 || isSimilar(value, pair[1]));
}

function differences({ selector }: ServiceFacts, { labels = {} }: PodFacts): string {
  return Object.entries(selector)
    .filter(([key, value]) => labels[key] !== value)
    .map(([key]) => `${key}=${labels[key]}`)
    .join(',');
}

/** The texts differ in one place, at which at most two characters were left out, added or changed. */
function isSimilar(one: string, other: string): boolean {
  const least = Math.min(one.length, other.length);
  let start = 0;
  while (start < least && one[start] === other[start]) start += 1;
  let end = 0;
  while (end < least - start && one.at(-1 - end) === other.at(-1 - end)) end += 1;
  return start + end > 0 && Math.max(one.length, other.length) - start - end <= 2;
}
