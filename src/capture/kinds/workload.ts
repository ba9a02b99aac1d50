import { objectAt, stringsAt } from '../../wire/guard.ts';
import type { TargetKind } from './kind.ts';
import { type LabelSelector, labelSelector, mapSelector } from './label-selector.ts';
import { objectName } from './object.ts';

type Names = Pick<TargetKind, 'name' | 'aliases' | 'api' | 'plural' | 'kind'>;

/**
 * A kind that makes its pods by a selector in its spec: those that match it and descend from the object, for another
 * object's pods may wear the same labels.
 */
export function workload(names: Names): TargetKind {
  return {
    ...names,
    namespaced: true,
    select(object) {
      const { name, namespace, uid } = objectName(object);
      const owner = { uid, kind: names.kind, name };
      return {
        pods: [
          { namespace, labels: podSelector(objectAt(object, 'spec').selector), owner, via: [`${names.name}/${name}`] },
        ],
      };
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
