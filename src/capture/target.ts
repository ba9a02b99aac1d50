/** A pod's container as far as a capture needs it. */
export interface PodContainer {
  readonly name: string;
  /** Container ID without its runtime's scheme; empty while it has none. */
  readonly id: string;
  readonly ports: readonly { readonly port: number; readonly protocol: string }[];
}

/** One pod to capture (design: "What flows"). */
export interface PodTarget {
  readonly uid: string;
  readonly namespace: string;
  readonly pod: string;
  readonly node: string;
  readonly ips: readonly string[];
  readonly containers: readonly PodContainer[];
  readonly hostNetwork: boolean;
  /** What the pod's cgroup carries in place of the UID: a static pod's config hash. */
  readonly cgroupUid: string;
}

/** What the user named, before the cluster was asked. */
export interface TargetRef {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}
