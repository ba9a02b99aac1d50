import {
  type JsonObject,
  objectAt,
  objectsAt,
  optionalNumber,
  optionalString,
  requireString,
  stringsAt,
} from '../../wire/guard.ts';

export interface ContainerPort {
  readonly port: number;
  /** TCP, UDP or SCTP. */
  readonly protocol: string;
}

export interface ContainerView {
  readonly name: string;
  readonly kind: 'container' | 'init' | 'ephemeral';
  /** The runtime's ID without its scheme (`containerd://`); empty until the container was made. */
  readonly id: string;
  readonly ports: readonly ContainerPort[];
  readonly ready: boolean;
  readonly state: 'running' | 'waiting' | 'terminated';
  /** Why it waits or ended: `ImagePullBackOff`, `CrashLoopBackOff`, `Completed`; empty while it runs. */
  readonly reason: string;
  /** The runtime's message for the reason. */
  readonly message: string;
  readonly restarts: number;
  /** How it ended the last time it was restarted: `OOMKilled`, `Error`; undefined before a restart. */
  readonly lastEnd: { readonly reason: string; readonly at: string } | undefined;
}

export interface OwnerView {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** The fields of a pod that ksnoop uses. */
export interface PodView {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly resourceVersion: string;
  readonly phase: string;
  /** The pod's own reason and message, such as `Evicted`, or why it is not scheduled. */
  readonly reason: string;
  readonly message: string;
  /** Empty until it is scheduled. */
  readonly nodeName: string;
  readonly podIPs: readonly string[];
  readonly hostNetwork: boolean;
  readonly runtimeClass: string;
  readonly ready: boolean;
  readonly containers: readonly ContainerView[];
  /** Of a mirror pod, what the cgroup of its static pod carries in place of the UID. */
  readonly configHash: string | undefined;
  /** Set once it is being deleted. */
  readonly deletionTimestamp: string | undefined;
  readonly owners: readonly OwnerView[];
}

const KINDS = [
  ['containers', 'containerStatuses', 'container'],
  ['initContainers', 'initContainerStatuses', 'init'],
  ['ephemeralContainers', 'ephemeralContainerStatuses', 'ephemeral'],
] as const;

/**
 * A pod as the API sends it.
 * @throws KsnoopError INVALID_MESSAGE when it lacks its name, namespace or UID
 */
export function podView(pod: JsonObject): PodView {
  const metadata = objectAt(pod, 'metadata');
  const spec = objectAt(pod, 'spec');
  const status = objectAt(pod, 'status');
  const conditions = objectsAt(status, 'conditions');
  const unscheduled = conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'False') ?? {};
  return {
    uid: requireString(metadata, 'uid', 'Pod'),
    name: requireString(metadata, 'name', 'Pod'),
    namespace: requireString(metadata, 'namespace', 'Pod'),
    labels: stringsAt(metadata, 'labels'),
    resourceVersion: optionalString(metadata, 'resourceVersion') ?? '',
    phase: optionalString(status, 'phase') ?? 'Unknown',
    reason: optionalString(status, 'reason') ?? optionalString(unscheduled, 'reason') ?? '',
    message: optionalString(status, 'message') ?? optionalString(unscheduled, 'message') ?? '',
    nodeName: optionalString(spec, 'nodeName') ?? '',
    podIPs: addressesOf(status),
    hostNetwork: spec.hostNetwork === true,
    runtimeClass: optionalString(spec, 'runtimeClassName') ?? '',
    ready: conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    containers: KINDS.flatMap(([specs, statuses, kind]) => {
      const known = objectsAt(status, statuses);
      return objectsAt(spec, specs).map((container) =>
        containerView(container, known.find(({ name }) => name === container.name) ?? {}, kind),
      );
    }),
    configHash: configHashOf(pod),
    deletionTimestamp: optionalString(metadata, 'deletionTimestamp'),
    owners: ownersOf(pod),
  };
}

/** `namespace/pod`, as messages name a pod and as interface names start. */
export function podLabel(pod: PodView): string {
  return `${pod.namespace}/${pod.name}`;
}

/**
 * Annotation kubernetes.io/config.hash, an MD5, believed only of a pod that its own node owns, as the kubelet makes mirror
 * pods (pkg/kubelet/pod/mirror_client.go): anybody may write the annotation, and a UID in it would be another pod's.
 */
function configHashOf(pod: JsonObject): string | undefined {
  const hash = stringsAt(objectAt(pod, 'metadata'), 'annotations')['kubernetes.io/config.hash'];
  const nodeName = optionalString(objectAt(pod, 'spec'), 'nodeName');
  const isMirror = ownersOf(pod).some(({ kind, name }) => kind === 'Node' && name === nodeName);
  return hash !== undefined && isMirror && /^[0-9a-f]{32}$/.test(hash) ? hash : undefined;
}

/** An object's owner references; the one that controls it first. */
export function ownersOf(object: JsonObject): OwnerView[] {
  const references = objectsAt(objectAt(object, 'metadata'), 'ownerReferences');
  return [...references]
    .sort((a, b) => Number(b.controller === true) - Number(a.controller === true))
    .map((owner) => ({
      apiVersion: optionalString(owner, 'apiVersion') ?? '',
      kind: optionalString(owner, 'kind') ?? '',
      name: optionalString(owner, 'name') ?? '',
      uid: optionalString(owner, 'uid') ?? '',
    }));
}

function addressesOf(status: JsonObject): string[] {
  const addresses = objectsAt(status, 'podIPs').map(({ ip }) => ip);
  return [...new Set([...addresses, status.podIP])].filter((ip) => typeof ip === 'string' && ip !== '') as string[];
}

function containerView(spec: JsonObject, status: JsonObject, kind: ContainerView['kind']): ContainerView {
  const states = objectAt(status, 'state');
  const state = states.running ? 'running' : states.terminated ? 'terminated' : 'waiting';
  const detail = state === 'running' ? {} : objectAt(states, state);
  return {
    name: optionalString(spec, 'name') ?? '',
    kind,
    id: (optionalString(status, 'containerID') ?? '').replace(/^[^:]*:\/\//, ''),
    ports: objectsAt(spec, 'ports').flatMap((port) => {
      const number = optionalNumber(port, 'containerPort');
      return number === undefined ? [] : [{ port: number, protocol: optionalString(port, 'protocol') ?? 'TCP' }];
    }),
    ready: status.ready === true,
    state,
    reason: optionalString(detail, 'reason') ?? '',
    message: optionalString(detail, 'message') ?? '',
    restarts: optionalNumber(status, 'restartCount') ?? 0,
    lastEnd: lastEndOf(status),
  };
}

function lastEndOf(status: JsonObject): ContainerView['lastEnd'] {
  const last = objectAt(objectAt(status, 'lastState'), 'terminated');
  const reason = optionalString(last, 'reason') ?? '';
  return reason === '' ? undefined : { reason, at: optionalString(last, 'finishedAt') ?? '' };
}

/** The kernel's word, through the container runtime, for a container that used up its memory. */
const OUT_OF_MEMORY = 'OOMKilled';

/** That a container was killed for lack of memory, a clause; undefined when its last end had another reason. */
export function memoryKill({ lastEnd }: ContainerView): string | undefined {
  if (lastEnd?.reason !== OUT_OF_MEMORY) return undefined;
  return `killed: out of memory (${OUT_OF_MEMORY}${lastEnd.at && ` at ${lastEnd.at}`})`;
}

/**
 * Why a pod is not ready, in a few words: `ImagePullBackOff: Back-off pulling image …`, `Unschedulable: …`. Empty when
 * nothing more is known than its phase.
 */
export function podTrouble(pod: PodView): string {
  const container = pod.containers.find(({ reason, ready }) => reason !== '' && reason !== 'Completed' && !ready);
  const [reason, message] = container ? [container.reason, container.message] : [pod.reason, pod.message];
  return message === '' ? reason : `${reason}: ${message}`;
}
