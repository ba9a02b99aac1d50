/** The pod and container a process belongs to, read from its cgroup path. */
export interface CgroupOwner {
  /** Pod UID with dashes, or a static pod's config hash. */
  readonly pod: string;
  readonly container: string;
}

/**
 * `/kubepods/burstable/pod<uid>/<cid>` (cgroupfs) and `/kubepods-burstable-pod<uid_>.slice/cri-containerd-<cid>.scope`
 * (systemd); Guaranteed pods lack the QoS level, cgroup v2 paths may start with `/../..`. A static pod's UID is its
 * config hash, 32 hexadecimal digits. CRI-O's `crio-conmon-…` is not a container.
 * (kubelet: pkg/kubelet/cm/cgroup_manager_linux.go, pod_container_manager_linux.go)
 */
const OWNER =
  /pod([0-9a-f]{8}([-_])[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?\/(?:cri-containerd-|crio-|docker-)?([0-9a-f]{32,64})(?:\.scope)?(?:\/|$)/m;

/** A path in another cgroup namespace may not show its pod, but it still contains the container's ID. */
const CONTAINER = /\/(?:cri-containerd-|crio-|docker-)?([0-9a-f]{64})(?:\.scope)?(?:\/|$)/m;

/** Whether what a cgroup path names is a pod's UID (metadata.uid), and not a static pod's config hash or nothing. */
export function isPodUid(pod: string): boolean {
  return pod.length === 36;
}

/** @param text the content of /proc/PID/cgroup; undefined for a process of no pod */
export function cgroupOwner(text: string): CgroupOwner | undefined {
  const owner = OWNER.exec(text);
  if (owner !== null) return { pod: (owner[1] ?? '').replaceAll('_', '-'), container: owner[3] ?? '' };
  const container = CONTAINER.exec(text);
  return container === null ? undefined : { pod: '', container: container[1] ?? '' };
}
