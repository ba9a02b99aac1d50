import { KsnoopError } from '../../wire/errors.ts';
import { type JsonObject, objectAt, objectsAt, optionalString, stringsAt } from '../../wire/guard.ts';
import { find, list } from '../kube/api.ts';
import { resourcePath } from '../kube/resource.ts';
import { BACKEND_PERMISSION, type BackendRef, selectBackends } from './backends.ts';
import { CONTROLLER_PERMISSIONS, selectController } from './controller.ts';
import { type Resolution, type ResolveContext, type TargetKind, through, together } from './kind.ts';
import { textSelector } from './label-selector.ts';
import { objectName } from './object.ts';

export const GATEWAY_API = 'gateway.networking.k8s.io/v1';

/** Worn by the pods that implementations make for a Gateway (GEP-1762). */
const GATEWAY_LABEL = 'gateway.networking.k8s.io/gateway-name';
const ROUTES = ['httproutes', 'grpcroutes'] as const;

/** Both sides of a Gateway: the pods that serve it, and those of the Services its routes send requests to. */
export const gateway: TargetKind = {
  name: 'gateway',
  aliases: ['gateways', 'gtw'],
  api: GATEWAY_API,
  plural: 'gateways',
  kind: 'Gateway',
  namespaced: true,
  uses: [
    BACKEND_PERMISSION,
    {
      verb: 'list',
      group: 'gateway.networking.k8s.io',
      resource: 'httproutes',
      where: 'cluster',
      purpose: 'without it, routes of other namespaces are not seen',
    },
    {
      verb: 'get',
      group: 'gateway.networking.k8s.io',
      resource: 'gatewayclasses',
      where: 'cluster',
      purpose: 'without it, the controller is not found',
    },
    ...CONTROLLER_PERMISSIONS,
  ],
  async select(object, context) {
    const via = `gateway/${objectName(object).name}`;
    const parts: Resolution[] = [];
    if (context.sides.controller) parts.push(through(via, await gatewayPods(object, context)));
    if (context.sides.backends) parts.push(await routedBackends(object, via, context));
    return together(parts);
  },
};

/** The pods that serve a Gateway: made for it alone, or those of its class's controller. */
export async function gatewayPods(object: JsonObject, context: ResolveContext): Promise<Resolution> {
  const { kube, signal } = context;
  const { name, namespace } = objectName(object);
  const labels = textSelector(`${GATEWAY_LABEL}=${name}`);
  const own = await list(kube, resourcePath('v1', namespace, 'pods'), { labelSelector: labels.text }, signal);
  if (own.items.length > 0) return { pods: [{ namespace, labels, via: [] }] };
  const className = optionalString(objectAt(object, 'spec'), 'gatewayClassName') ?? '';
  const gatewayClass = await find(
    kube,
    resourcePath(GATEWAY_API, undefined, 'gatewayclasses', className),
    signal,
  ).catch((thrown: unknown) => {
    if (thrown instanceof KsnoopError && thrown.code === 'FORBIDDEN') return undefined;
    throw thrown;
  });
  const found = await selectController(
    {
      className,
      controllerName: optionalString(objectAt(gatewayClass ?? {}, 'spec'), 'controllerName') ?? '',
      classLabels: stringsAt(objectAt(gatewayClass ?? {}, 'metadata'), 'labels'),
      namespace,
    },
    context,
  );
  if (found.pods.length > 0) return found;
  const note = `the pods that serve gateway/${name} are not captured: those of its class "${className}" were not found; name them as a target too`;
  // They may be made later.
  return { pods: [{ namespace, labels, via: [] }], notes: [note] };
}

async function routedBackends(object: JsonObject, via: string, context: ResolveContext): Promise<Resolution> {
  const { name, namespace } = objectName(object);
  const lists = await Promise.all(ROUTES.map((plural) => routes(plural, namespace, context)));
  const refs = lists.flat().flatMap((route) => {
    const home = objectName(route).namespace;
    const attached = parentsOf(route).some((parent) => parent.name === name && parent.namespace === namespace);
    return attached ? backendRefs(route, home) : [];
  });
  const backends = await selectBackends(via, refs, context);
  const depends = [{ path: resourcePath(GATEWAY_API, namespace, 'httproutes') }];
  return { ...backends, depends: [...(backends.depends ?? []), ...depends] };
}

/** Routes of all namespaces, or of the Gateway's own where others may not be listed; none where the kind is unknown. */
async function routes(
  plural: string,
  namespace: string,
  { kube, signal }: ResolveContext,
): Promise<readonly JsonObject[]> {
  const within = (place: string | undefined) => list(kube, resourcePath(GATEWAY_API, place, plural), {}, signal);
  try {
    return (await within(undefined)).items;
  } catch (thrown) {
    if (thrown instanceof KsnoopError && thrown.code === 'NOT_FOUND') return [];
    if (thrown instanceof KsnoopError && thrown.code === 'FORBIDDEN') return (await within(namespace)).items;
    throw thrown;
  }
}

/** The Gateways a route is attached to. */
export function parentsOf(route: JsonObject): BackendRef[] {
  const { namespace } = objectName(route);
  return objectsAt(objectAt(route, 'spec'), 'parentRefs')
    .filter(({ kind = 'Gateway' }) => kind === 'Gateway')
    .map((parent) => ({
      name: optionalString(parent, 'name') ?? '',
      namespace: optionalString(parent, 'namespace') ?? namespace,
    }));
}

/** The Services a route sends requests to, mirrors included. */
export function backendRefs(route: JsonObject, home: string): BackendRef[] {
  return objectsAt(objectAt(route, 'spec'), 'rules').flatMap((rule) => {
    const mirrors = objectsAt(rule, 'filters').map((filter) =>
      objectAt(objectAt(filter, 'requestMirror'), 'backendRef'),
    );
    return [...objectsAt(rule, 'backendRefs'), ...mirrors]
      .filter(
        ({ kind = 'Service', group = '', name }) => kind === 'Service' && group === '' && typeof name === 'string',
      )
      .map((ref) => ({
        name: optionalString(ref, 'name') ?? '',
        namespace: optionalString(ref, 'namespace') ?? home,
      }));
  });
}
