import { KsnoopError } from '../../wire/errors.ts';
import { type JsonObject, objectAt, objectsAt, optionalNumber } from '../../wire/guard.ts';
import { AGENT_LABEL, AGENT_NAMESPACE, CONTROLLER_DEPLOYMENT, TICKET_KEY_PUBLIC } from '../agent-objects.ts';
import type { ObjectApi } from '../kube/object-api.ts';
import { podTrouble, podView } from '../kube/pod.ts';

/** The controller of Captures and what it needs. */
export interface CapturesStatus {
  /** Replicas that are wanted and ready. */
  readonly desired: number;
  readonly ready: number;
  /** The Deployment controller has taken up the last change, and no pod of an earlier one is left. */
  readonly settled: boolean;
  /** Why a replica is not ready; empty mostly. */
  readonly reason: string;
  /** What is missing for Captures to be admitted, such as the policy; empty mostly. */
  readonly missing: readonly string[];
}

/** Whether the agents of a DaemonSet take sessions with a ticket only. */
export function takesTickets(daemonSet: JsonObject): boolean {
  const pod = objectAt(objectAt(objectAt(daemonSet, 'spec'), 'template'), 'spec');
  return objectsAt(pod, 'volumes').some((volume) => objectAt(volume, 'configMap').name === TICKET_KEY_PUBLIC);
}

const NAME = 'captures.ksnoop.io';
const CLUSTER_WIDE = [
  { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy' },
  { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicyBinding' },
  { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' },
] as const;

/** Read the state of the controller. What the user may not read is taken to be there. @throws KsnoopError as ObjectApi does */
export async function capturesStatus(api: ObjectApi): Promise<CapturesStatus> {
  const labelSelector = `${AGENT_LABEL}=${CONTROLLER_DEPLOYMENT}`;
  const metadata = { namespace: AGENT_NAMESPACE, name: CONTROLLER_DEPLOYMENT };
  const [deployment, pods, ...others] = await Promise.all([
    readable(api.find({ apiVersion: 'apps/v1', kind: 'Deployment', metadata })),
    api.list({ apiVersion: 'v1', kind: 'Pod' }, AGENT_NAMESPACE, { labelSelector }),
    ...CLUSTER_WIDE.map((kind) => readable(api.find({ ...kind, metadata: { name: NAME } }))),
  ]);
  const missing = CLUSTER_WIDE.flatMap(({ kind }, index) => (others[index] === undefined ? [`${kind} ${NAME}`] : []));
  const views = pods.map(podView).filter(({ deletionTimestamp }) => deletionTimestamp === undefined);
  const waiting = views.find(({ ready }) => !ready);
  const reason = waiting === undefined ? '' : podTrouble(waiting) || waiting.phase;
  if (deployment === undefined || deployment === UNREADABLE) {
    const ready = views.filter((pod) => pod.ready).length;
    if (deployment === undefined) missing.unshift(`Deployment ${CONTROLLER_DEPLOYMENT}`);
    return { desired: deployment === undefined ? 1 : ready, ready, settled: true, reason, missing };
  }
  const count = (key: string) => optionalNumber(objectAt(deployment, 'status'), key) ?? 0;
  const desired = optionalNumber(objectAt(deployment, 'spec'), 'replicas') ?? 1;
  const generation = optionalNumber(objectAt(deployment, 'metadata'), 'generation') ?? 0;
  const settled = count('observedGeneration') >= generation && count('updatedReplicas') >= desired;
  return { desired, ready: Math.min(count('readyReplicas'), count('updatedReplicas')), settled, reason, missing };
}

/** Stands for an object that the user may not read. */
const UNREADABLE: JsonObject = {};

async function readable(found: Promise<JsonObject | undefined>): Promise<JsonObject | undefined> {
  try {
    return await found;
  } catch (thrown) {
    if (thrown instanceof KsnoopError && thrown.code === 'FORBIDDEN') return UNREADABLE;
    throw thrown;
  }
}
