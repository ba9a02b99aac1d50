import type { PodView } from './kube/pod.ts';

/** One pod to capture (design: "What flows"), its containers already known to the runtime. */
export interface PodTarget {
  readonly pod: PodView;
  /** What its cgroup carries: the UID, or for a static pod the config hash. */
  readonly cgroupUid: string;
}

/** `namespace/pod`, as people say it and as interface names start. */
export function podLabel(pod: PodView): string {
  return `${pod.namespace}/${pod.name}`;
}
