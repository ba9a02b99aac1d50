import type { TargetKind } from './kind.ts';
import { objectName } from './object.ts';

/** The node's own network namespace: everything that enters or leaves it, its pods' traffic as it passes included. */
export const node: TargetKind = {
  name: 'node',
  aliases: ['nodes', 'no'],
  api: 'v1',
  plural: 'nodes',
  kind: 'Node',
  namespaced: false,
  select(object) {
    const { name, uid } = objectName(object);
    return { pods: [], nodes: [{ uid, name }] };
  },
};
