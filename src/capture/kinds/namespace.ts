import type { TargetKind } from './kind.ts';
import { objectName } from './object.ts';

export const namespace: TargetKind = {
  name: 'namespace',
  aliases: ['namespaces', 'ns'],
  api: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
  select(object) {
    const { name } = objectName(object);
    return { pods: [{ namespace: name, via: [`namespace/${name}`] }] };
  },
};
