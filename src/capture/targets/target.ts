import type { PodView } from '../kube/pod.ts';

/** `namespace/pod`, as people say it and as interface names start. */
export function podLabel(pod: PodView): string {
  return `${pod.namespace}/${pod.name}`;
}
