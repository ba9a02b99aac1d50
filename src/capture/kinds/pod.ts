import { podView } from '../kube/pod.ts';
import type { TargetKind } from './kind.ts';
import { textSelector } from './label-selector.ts';

/** Of these owners a pod that goes is followed by one of the same name. */
const SAME_NAME_AGAIN = new Set(['StatefulSet']);

export const pod: TargetKind = {
  name: 'pod',
  aliases: ['pods', 'po'],
  api: 'v1',
  plural: 'pods',
  kind: 'Pod',
  namespaced: true,
  select(object) {
    const found = podView(object);
    // Custom resources may recreate a pod of the same name; the built-in kinds that do not are known.
    const builtIn = found.owners.every(({ apiVersion }) => /^(apps\/|batch\/)?v1$/.test(apiVersion));
    const final = builtIn && !found.owners.some(({ kind }) => SAME_NAME_AGAIN.has(kind));
    return { pods: [{ namespace: found.namespace, names: [found.name], known: [found], via: [], named: true, final }] };
  },
  selectAll({ namespace, labelSelector, fieldSelector, fits }) {
    const labels = labelSelector === undefined ? undefined : textSelector(labelSelector);
    return { pods: [{ namespace, labels, fieldSelector, fitsName: fits, via: [] }] };
  },
};
