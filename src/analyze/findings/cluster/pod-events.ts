import type { ClusterFacts, PodFacts } from '../cluster-facts.ts';
import { type Evidence, withoutPackets } from '../finding.ts';
import { counted } from '../words.ts';

/** Warnings that are shown. */
const SHOWN = 2;

/** The last warnings about some pods, each reason of a pod once. */
export function podEvents(pods: readonly PodFacts[], { events = [] }: ClusterFacts): Evidence[] {
  const about = events.filter(({ namespace, pod }) =>
    pods.some((one) => one.namespace === namespace && one.name === pod),
  );
  const newest = [...about].sort((a, b) => (a.last < b.last ? 1 : a.last > b.last ? -1 : 0));
  const shown = new Map<string, Evidence>();
  for (const { pod, reason, message, count } of newest) {
    const key = `${pod} ${reason}`;
    if (shown.size >= SHOWN || shown.has(key)) continue;
    shown.set(key, withoutPackets(`event of ${pod}, ${counted(count, 'time')}: ${reason}: ${message}`));
  }
  return [...shown.values()];
}
