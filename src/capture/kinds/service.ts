import { EXIT, KsnoopError } from '../../wire/errors.ts';
import { arrayAt, type JsonObject, objectAt, objectsAt, optionalString, stringsAt } from '../../wire/guard.ts';
import { list } from '../kube/api.ts';
import { resourcePath } from '../kube/resource.ts';
import { LOOSE_ENDPOINTS } from '../limits.ts';
import type { Resolution, ResolveContext, TargetKind } from './kind.ts';
import { mapSelector } from './label-selector.ts';
import { objectName } from './object.ts';
import type { PodSelection } from './pod-selection.ts';

export const service: TargetKind = {
  name: 'service',
  aliases: ['services', 'svc'],
  api: 'v1',
  plural: 'services',
  kind: 'Service',
  namespaced: true,
  uses: [
    {
      verb: 'list',
      group: 'discovery.k8s.io',
      resource: 'endpointslices',
      where: 'namespace',
      purpose: 'without it, a Service without selector has no pods',
    },
  ],
  select(object, context) {
    const { name, namespace } = objectName(object);
    const spec = objectAt(object, 'spec');
    if (spec.type === 'ExternalName') throw externalName(name, namespace, optionalString(spec, 'externalName') ?? '');
    const labels = mapSelector(stringsAt(spec, 'selector'));
    if (labels !== undefined) return { pods: [{ namespace, labels, via: [`service/${name}`] }] };
    return byEndpoints(name, namespace, context);
  },
};

function externalName(name: string, namespace: string, target: string): KsnoopError {
  return new KsnoopError(
    'EXTERNAL_NAME',
    `Service ${namespace}/${name} has no pods: it is another name for ${target}.`,
    {
      hint: 'It is answered by DNS alone (type ExternalName). Capture the pods that use it, with -f "port 53" or a filter for that host.',
      exit: EXIT.noTarget,
    },
  );
}

/**
 * A Service without a selector: its EndpointSlices name the endpoints. An endpoint that names a pod is that pod; for one
 * that is only an address, the pod with this address is searched. Whoever may write EndpointSlices in one namespace can name
 * pods of any other: those are taken only where the user crosses namespaces, in all where the user may list pods.
 */
async function byEndpoints(name: string, namespace: string, context: ResolveContext): Promise<Resolution> {
  const path = resourcePath('discovery.k8s.io/v1', namespace, 'endpointslices');
  const ofService = { labelSelector: `kubernetes.io/service-name=${name}` };
  const { items } = await list(context.kube, path, ofService, context.signal);
  const endpoints = items.flatMap((slice) => objectsAt(slice, 'endpoints'));
  const via = [`service/${name}`];
  const names = new Map<string, Set<string>>();
  const loose = new Set<string>();
  const crossing = new Set<string>();
  for (const endpoint of endpoints) {
    const target = objectAt(endpoint, 'targetRef');
    const pod = target.kind === 'Pod' ? optionalString(target, 'name') : undefined;
    const place = optionalString(target, 'namespace') ?? namespace;
    if (pod === undefined) for (const address of addressesOf(endpoint)) loose.add(address);
    else if (place === namespace || context.crossNamespaces) within(names, place).add(pod);
    else crossing.add(`${place}/${pod}`);
  }
  const pods: PodSelection[] = [...names].map(([place, wanted]) => ({ namespace: place, names: [...wanted], via }));
  const searched = [...loose].slice(0, LOOSE_ENDPOINTS);
  const byAddress = await Promise.all(searched.map((address) => podsAt(address, namespace, via, context)));
  const strangers = byAddress.flatMap((found) => (typeof found === 'string' ? [found] : []));
  const notes: string[] = [];
  if (crossing.size > 0) {
    const left = [...crossing].slice(0, LOOSE_ENDPOINTS).join(', ');
    notes.push(`service/${name} has endpoints in other namespaces, which are left out: ${left}; ${CROSS_HINT}`);
  }
  if (strangers.length > 0) {
    const list = strangers.join(', ');
    const elsewhere = context.crossNamespaces ? `: ${list}` : ` of its namespace: ${list}; ${CROSS_HINT}`;
    notes.push(`service/${name} has endpoints that are no pods${elsewhere}`);
  }
  if (loose.size > LOOSE_ENDPOINTS) {
    notes.push(`service/${name}: only the first ${LOOSE_ENDPOINTS} of ${loose.size} addresses were searched for pods`);
  }
  for (const found of byAddress) if (typeof found !== 'string') pods.push(found);
  return { pods, notes, depends: [{ path, ...ofService }] };
}

const CROSS_HINT = '--cross-namespace takes pods of other namespaces too';

function within(names: Map<string, Set<string>>, namespace: string): Set<string> {
  const known = names.get(namespace) ?? new Set();
  names.set(namespace, known);
  return known;
}

function addressesOf(endpoint: JsonObject): string[] {
  return arrayAt(endpoint, 'addresses').filter((address): address is string => typeof address === 'string');
}

/** The pods with an address, or the address when no pod has it. */
async function podsAt(
  address: string,
  namespace: string,
  via: readonly string[],
  { kube, signal, crossNamespaces }: ResolveContext,
): Promise<PodSelection | string> {
  const fieldSelector = `status.podIP=${address}`;
  const find = async (place: string | undefined) => {
    const { items } = await list(kube, resourcePath('v1', place, 'pods'), { fieldSelector }, signal);
    return items.length === 0 ? address : { namespace: place, addresses: [address], via };
  };
  if (!crossNamespaces) return find(namespace);
  // A user who may not list the pods of all namespaces still finds those of the Service's namespace.
  return find(undefined).catch(() => find(namespace));
}
