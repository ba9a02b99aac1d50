import { objectAt, optionalString } from '../../wire/guard.ts';
import { find } from '../kube/api.ts';
import type { DiscoveredResource } from '../kube/discovery.ts';
import { resourcePath } from '../kube/resource.ts';
import type { TargetKind } from './kind.ts';
import { textSelector } from './label-selector.ts';
import { objectName } from './object.ts';

/**
 * Any other resource the API server has, a custom one as a rule: its pods are those that its scale subresource selects,
 * or, when it has none, those that descend from it by owner references.
 */
export function customKind(resource: DiscoveredResource): TargetKind {
  const { api, plural, kind, namespaced } = resource;
  const singular = resource.singular || kind.toLowerCase();
  return {
    name: singular,
    aliases: [plural, ...resource.shortNames],
    api,
    plural,
    kind,
    namespaced,
    async select(object, { kube, signal }) {
      const { name, namespace, uid } = objectName(object);
      const via = [`${singular}/${name}`];
      if (resource.scales) {
        const scale = await find(
          kube,
          resourcePath(api, namespaced ? namespace : undefined, plural, name, 'scale'),
          signal,
        );
        const text = optionalString(objectAt(scale ?? {}, 'status'), 'selector') ?? '';
        if (text !== '') return { pods: [{ namespace, labels: textSelector(text), via }] };
      }
      return { pods: [{ namespace: namespaced ? namespace : undefined, owner: { uid, kind, name }, via }] };
    },
  };
}
