import { KsnoopError, messageOf } from '../../../wire/errors.ts';
import { objectAt, optionalNumber } from '../../../wire/guard.ts';
import { AGENT_LABEL, AGENT_NAMESPACE, OBSERVE_NAME } from '../../agent-objects.ts';
import type { ObjectApi } from '../../kube/object-api.ts';
import { podTrouble, podView } from '../../kube/pod.ts';
import { installedObservation } from './observation.ts';

/** An installed observation. */
export interface ObserveStatus {
  /** What it observes, as its command has it: `svc/web`. */
  readonly targets: readonly string[];
  /** Of the targets; undefined: all. */
  readonly namespaces: readonly string[] | undefined;
  /** Its pod runs, and has run for some seconds. */
  readonly available: boolean;
  /** The Deployment controller has taken up the last change, and no pod of an earlier one is left. */
  readonly settled: boolean;
  /** How often its container has begun anew. */
  readonly restarts: number;
  /** Why it is not available; empty mostly. */
  readonly reason: string;
}

/** The Deployment of the observation, as the API addresses it. */
export const OBSERVE_DEPLOYMENT = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace: AGENT_NAMESPACE, name: OBSERVE_NAME },
} as const;

/** @returns undefined where none is installed, or the user may not read it */
export async function observeStatus(api: ObjectApi): Promise<ObserveStatus | undefined> {
  const deployment = await api.find(OBSERVE_DEPLOYMENT).catch((thrown: unknown) => {
    if (thrown instanceof KsnoopError && thrown.code === 'FORBIDDEN') return undefined;
    throw thrown;
  });
  if (deployment === undefined) return undefined;
  const pods = await api.list({ apiVersion: 'v1', kind: 'Pod' }, AGENT_NAMESPACE, {
    labelSelector: `${AGENT_LABEL}=${OBSERVE_NAME}`,
  });
  const views = pods.map(podView).filter(({ deletionTimestamp }) => deletionTimestamp === undefined);
  const count = (key: string) => optionalNumber(objectAt(deployment, 'status'), key) ?? 0;
  const generation = optionalNumber(objectAt(deployment, 'metadata'), 'generation') ?? 0;
  const available = count('availableReplicas') > 0 && count('updatedReplicas') > 0;
  const [pod] = views;
  const trouble = pod === undefined ? 'it has no pod' : podTrouble(pod) || pod.phase;
  let what: Pick<ObserveStatus, 'targets' | 'namespaces'> = { targets: [], namespaces: [] };
  let reason = available ? '' : trouble;
  try {
    what = installedObservation(deployment, undefined);
  } catch (thrown) {
    reason = messageOf(thrown);
  }
  return {
    targets: what.targets,
    namespaces: what.namespaces,
    available,
    settled: count('observedGeneration') >= generation && views.length <= 1 && pods.length === views.length,
    restarts: pod?.containers.reduce((sum, { restarts }) => sum + restarts, 0) ?? 0,
    reason,
  };
}
