import { KsnoopError } from '../../wire/errors.ts';
import { type JsonObject, objectAt, objectsAt, optionalString, stringsAt } from '../../wire/guard.ts';
import { find, list } from '../kube/api.ts';
import { resourcePath } from '../kube/resource.ts';
import { BACKEND_PERMISSION, type BackendRef, selectBackends } from './backends.ts';
import { CONTROLLER_PERMISSIONS, selectController } from './controller.ts';
import { type Resolution, type ResolveContext, type TargetKind, through, together } from './kind.ts';
import { objectName } from './object.ts';
import { service } from './service.ts';

const API = 'networking.k8s.io/v1';
/** How the class was named before IngressClass (and still is). */
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const DEFAULT_CLASS = 'ingressclass.kubernetes.io/is-default-class';

/** Both sides of an Ingress: the pods of its controller, and those of the Services it sends requests to. */
export const ingress: TargetKind = {
  name: 'ingress',
  aliases: ['ingresses', 'ing'],
  api: API,
  plural: 'ingresses',
  kind: 'Ingress',
  namespaced: true,
  uses: [
    BACKEND_PERMISSION,
    {
      verb: 'get',
      group: 'networking.k8s.io',
      resource: 'ingressclasses',
      where: 'cluster',
      purpose: 'without it, the controller is not found',
    },
    ...CONTROLLER_PERMISSIONS,
  ],
  async select(object, context) {
    const { name, namespace } = objectName(object);
    const via = `ingress/${name}`;
    const { refs, notes } = backendsOf(object, via, namespace);
    const [backends, controller] = await Promise.all([
      context.sides.backends ? selectBackends(via, refs, context) : undefined,
      context.sides.controller ? controllerOf(object, via, namespace, context) : undefined,
    ]);
    return together([{ pods: [], notes }, ...(controller ? [controller] : []), ...(backends ? [backends] : [])]);
  },
};

function backendsOf(object: JsonObject, via: string, namespace: string): { refs: BackendRef[]; notes: string[] } {
  const spec = objectAt(object, 'spec');
  const backends = [
    objectAt(spec, 'defaultBackend'),
    ...objectsAt(spec, 'rules').flatMap((rule) =>
      objectsAt(objectAt(rule, 'http'), 'paths').map((path) => objectAt(path, 'backend')),
    ),
  ];
  const refs: BackendRef[] = [];
  const notes: string[] = [];
  for (const backend of backends) {
    const name = optionalString(objectAt(backend, 'service'), 'name');
    const resource = objectAt(backend, 'resource');
    if (name !== undefined) refs.push({ namespace, name });
    else if (typeof resource.kind === 'string') {
      notes.push(`${via} has a backend that is no Service: ${resource.kind} ${resource.name}`);
    }
  }
  return { refs, notes };
}

async function controllerOf(
  object: JsonObject,
  via: string,
  namespace: string,
  context: ResolveContext,
): Promise<Resolution> {
  const ofClass = await classOf(object, context);
  const className = ofClass.className;
  const byClass =
    className === '' ? { pods: [] } : await selectController({ ...ofClass, namespace }, context).catch(passedOver);
  const found = byClass.pods.length > 0 ? byClass : await byAddress(object, context).catch(passedOver);
  const depends = [{ path: resourcePath(API, undefined, 'ingressclasses') }];
  if (found.pods.length > 0) return through(via, { ...found, depends: [...(found.depends ?? []), ...depends] });
  const what = className === '' ? `${via} names no class` : `the pods of its class "${className}" were not found`;
  return { pods: [], notes: [`the controller of ${via} is not captured: ${what}; name it as a target too`], depends };
}

/** A user without permission to search for the controller still captures the backends; the note names what is missing. */
function passedOver(thrown: unknown): Resolution {
  if (thrown instanceof KsnoopError && thrown.code === 'FORBIDDEN') return { pods: [], notes: [thrown.message] };
  throw thrown;
}

/** The class an Ingress names, or the default one. */
async function classOf(object: JsonObject, { kube, signal }: ResolveContext) {
  const annotation = stringsAt(objectAt(object, 'metadata'), 'annotations')[CLASS_ANNOTATION];
  const named = optionalString(objectAt(object, 'spec'), 'ingressClassName') ?? annotation;
  const unreadable = (thrown: unknown) => {
    if (thrown instanceof KsnoopError && thrown.code === 'FORBIDDEN') return undefined;
    throw thrown;
  };
  const ingressClass =
    named === undefined
      ? (await list(kube, resourcePath(API, undefined, 'ingressclasses'), {}, signal).catch(unreadable))?.items.find(
          (item) => stringsAt(objectAt(item, 'metadata'), 'annotations')[DEFAULT_CLASS] === 'true',
        )
      : await find(kube, resourcePath(API, undefined, 'ingressclasses', named), signal).catch(unreadable);
  return {
    className: ingressClass === undefined ? (named ?? '') : objectName(ingressClass).name,
    controllerName: optionalString(objectAt(ingressClass ?? {}, 'spec'), 'controller') ?? '',
    classLabels: stringsAt(objectAt(ingressClass ?? {}, 'metadata'), 'labels'),
  };
}

/** The Service whose load balancer's address the Ingress got. */
async function byAddress(object: JsonObject, context: ResolveContext): Promise<Resolution> {
  const addresses = new Set(balancerAddresses(object));
  if (addresses.size === 0) return { pods: [] };
  const { items } = await list(context.kube, resourcePath('v1', undefined, 'services'), {}, context.signal);
  const services = items.filter((item) => {
    const spec = objectAt(item, 'spec');
    const own = [
      ...balancerAddresses(item),
      spec.clusterIP,
      ...(Array.isArray(spec.externalIPs) ? spec.externalIPs : []),
    ];
    return own.some((address) => typeof address === 'string' && addresses.has(address));
  });
  return together(await Promise.all(services.map((item) => service.select(item, context))));
}

function balancerAddresses(object: JsonObject): string[] {
  const balancer = objectAt(objectAt(object, 'status'), 'loadBalancer');
  return objectsAt(balancer, 'ingress').flatMap(({ ip, hostname }) =>
    [ip, hostname].filter((address): address is string => typeof address === 'string' && address !== ''),
  );
}
