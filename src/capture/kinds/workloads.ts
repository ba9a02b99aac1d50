import { objectAt, stringsAt } from '../../wire/guard.ts';
import type { KindPermission, TargetKind } from './kind.ts';
import { type LabelSelector, labelSelector, mapSelector } from './label-selector.ts';
import { objectName } from './object.ts';

/** The pods of a Deployment descend from its ReplicaSets. */
const READ_REPLICA_SETS: KindPermission = {
  verb: 'get',
  group: 'apps',
  resource: 'replicasets',
  where: 'namespace',
  purpose: 'without it, pods of ReplicaSets that the Deployment did not create are not distinguished',
};

// The kinds that make their pods by a selector in their spec: a row each, and a line in index.ts.
export const deployment = workload('Deployment', 'apps/v1', ['deploy'], [READ_REPLICA_SETS]);
export const replicaSet = workload('ReplicaSet', 'apps/v1', ['rs']);
export const statefulSet = workload('StatefulSet', 'apps/v1', ['sts']);
export const daemonSet = workload('DaemonSet', 'apps/v1', ['ds']);
export const job = workload('Job', 'batch/v1', []);
export const replicationController = workload('ReplicationController', 'v1', ['rc']);

/**
 * A kind whose objects select their pods: those that match the selector and descend from the object, because pods of
 * another object may have the same labels.
 * @param kind as in a manifest; its name and plural are this in lower case, without and with an `s`
 * @param shortNames as kubectl takes them
 */
function workload(
  kind: string,
  api: string,
  shortNames: readonly string[],
  uses: readonly KindPermission[] = [],
): TargetKind {
  const kindName = kind.toLowerCase();
  const plural = `${kindName}s`;
  return {
    name: kindName,
    aliases: [plural, ...shortNames],
    api,
    plural,
    kind,
    namespaced: true,
    uses,
    select(object) {
      const { name, namespace, uid } = objectName(object);
      const labels = podSelector(objectAt(object, 'spec').selector);
      return { pods: [{ namespace, labels, owner: { uid, kind, name }, via: [`${kindName}/${name}`] }] };
    },
  };
}

/** `spec.selector` of a workload: a LabelSelector, or the plain map of a ReplicationController. */
function podSelector(selector: unknown): LabelSelector | undefined {
  const spec = { selector };
  const object = objectAt(spec, 'selector');
  return 'matchLabels' in object || 'matchExpressions' in object
    ? labelSelector(object)
    : mapSelector(stringsAt(spec, 'selector'));
}
