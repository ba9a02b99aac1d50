import { objectAt } from '../../wire/guard.ts';
import { find } from '../kube/api.ts';
import { resourcePath } from '../kube/resource.ts';
import { type KindPermission, type Resolution, type ResolveContext, through, together } from './kind.ts';
import { service } from './service.ts';

/** What reading the Services behind an Ingress or a route takes. */
export const BACKEND_PERMISSION: KindPermission = {
  verb: 'get',
  group: '',
  resource: 'services',
  where: 'namespace',
  purpose: 'without it, the pods behind it are not found',
};

/** A Service that an Ingress or a route sends requests to. */
export interface BackendRef {
  readonly namespace: string;
  readonly name: string;
}

/**
 * The pods of the Services behind `via`. One that does not exist, or has no pods by its nature, is a note: the others
 * are captured.
 */
export async function selectBackends(
  via: string,
  refs: readonly BackendRef[],
  context: ResolveContext,
): Promise<Resolution> {
  const services = new Map(refs.map((ref) => [`${ref.namespace}/${ref.name}`, ref]));
  const parts = await Promise.all(
    [...services].map(async ([label, { namespace, name }]): Promise<Resolution> => {
      const depends = [{ path: resourcePath('v1', namespace, 'services'), fieldSelector: `metadata.name=${name}` }];
      const object = await find(context.kube, resourcePath('v1', namespace, 'services', name), context.signal);
      if (object === undefined)
        return { pods: [], notes: [`${via} names service ${label}, which does not exist`], depends };
      if (objectAt(object, 'spec').type === 'ExternalName') {
        return {
          pods: [],
          notes: [`${via} names service ${label}, which is an ExternalName and has no pods`],
          depends,
        };
      }
      const selected = await service.select(object, context);
      return { ...selected, depends: [...depends, ...(selected.depends ?? [])] };
    }),
  );
  return through(via, together(parts));
}
