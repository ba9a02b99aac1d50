import { objectAt } from '../../../wire/guard.ts';
import { AGENT_LABEL, OBSERVE_NAME } from '../../agent-objects.ts';
import type { ObjectApi } from '../../kube/object-api.ts';
import { type Manifest, nameOf } from '../manifests.ts';
import { addressed, KINDS } from '../objects.ts';
import { ownObjects } from '../own-objects.ts';
import { installedObservation, type Observation } from './observation.ts';
import { OBSERVE_DEPLOYMENT } from './status.ts';

/** What tells the objects of an observation from the others that are installed. */
export const OBSERVE_LABEL = `${AGENT_LABEL}=${OBSERVE_NAME}`;

/** The observation that is installed, or undefined. @throws KsnoopError as installedObservation and ObjectApi do */
export async function presentObservation(api: ObjectApi): Promise<Observation | undefined> {
  const deployment = await api.find(OBSERVE_DEPLOYMENT);
  if (deployment === undefined) return undefined;
  const configMap = await api.find({ ...OBSERVE_DEPLOYMENT, apiVersion: 'v1', kind: 'ConfigMap' });
  return installedObservation(deployment, configMap);
}

/**
 * Remove what an earlier observation had and the present one does not: permissions in namespaces that it no longer observes, certificates.
 * @param objects all that were applied now
 */
export async function removeEarlierObservation(
  api: ObjectApi,
  objects: readonly Manifest[],
  progress: (line: string) => void,
): Promise<void> {
  const kept = new Set(objects.map(nameOf));
  const namespaces = objects.flatMap((object) => {
    const { namespace } = objectAt(object, 'metadata');
    return typeof namespace === 'string' ? [namespace] : [];
  });
  for (const kind of [...KINDS].reverse()) {
    for (const object of await ownObjects(api, kind, { label: OBSERVE_LABEL, namespaces })) {
      if (kept.has(nameOf(object))) continue;
      await api.remove(addressed(object));
      progress(`removed ${nameOf(object)}`);
    }
  }
}
