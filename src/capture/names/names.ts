import { isAddress } from '../../wire/address-text.ts';
import { type JsonObject, objectAt, objectsAt, optionalString } from '../../wire/guard.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import { list } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { type PodView, podLabel, podView } from '../kube/pod.ts';
import { resourcePath } from '../kube/resource.ts';

type Names = readonly NamedAddress[];

/** Services a pod is named by, at most: it may be behind many. */
const SERVICES_PER_POD = 4;

/** An ended pod's address may be another's by now. */
const ENDED = new Set(['Succeeded', 'Failed']);

/** An address that answers for a Service, on the ports to which the Service leads; none for any port. */
interface Endpoint {
  readonly address: string;
  readonly service: string;
  readonly ports: readonly number[];
}

/** Names of the captured pods themselves: known before their first packet. */
export function podNames(pods: readonly PodView[]): NamedAddress[] {
  const living = pods.filter(({ phase }) => !ENDED.has(phase));
  return living.flatMap((pod) =>
    pod.podIPs.map((address) => ({ address, names: [pod.hostNetwork ? pod.nodeName : podLabel(pod)] })),
  );
}

/**
 * Names of the likely peers of the captured pods: the pods of their namespaces, each with the Services that it
 * answers for (by their EndpointSlices), those Services, and the cluster's nodes. What may not be listed stays an address.
 * @param isTarget whether the user named a Service (`web.shop`): a pod behind it goes by it and no other Service
 */
export async function neighbourNames(
  kube: Kube,
  namespaces: Iterable<string>,
  signal: AbortSignal,
  isTarget: (service: string) => boolean = () => false,
): Promise<NamedAddress[]> {
  const all = [...new Set(namespaces)];
  const listed = async <T>(
    path: (namespace: string) => string,
    read: (item: JsonObject, namespace: string) => readonly T[],
  ) => {
    const lists = all.map(async (namespace) => {
      const { items } = await list(kube, path(namespace), {}, signal);
      return items.flatMap((item) => read(item, namespace));
    });
    const settled = await Promise.allSettled(lists);
    return settled.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  };
  // Two at a time: each further connection's handshake takes the processor as long as several answers.
  const nodes = list(kube, resourcePath('v1', undefined, 'nodes'), {}, signal).then(
    ({ items }) => items.flatMap(nodeNames),
    () => [],
  );
  const endpoints = nodes.then(() =>
    listed((namespace) => resourcePath('discovery.k8s.io/v1', namespace, 'endpointslices'), endpointsOf),
  );
  const pods = await listed(
    (namespace) => resourcePath('v1', namespace, 'pods'),
    (pod) => [podView(pod)],
  );
  const services = await listed((namespace) => resourcePath('v1', namespace, 'services'), serviceNames);
  return [...(await nodes), ...withServices(pods, services, await endpoints, isTarget)];
}

/** A node's own addresses, as its kubelet reports them. */
function nodeNames(node: JsonObject): Names {
  const name = optionalString(objectAt(node, 'metadata'), 'name') ?? '';
  const addresses = objectsAt(objectAt(node, 'status'), 'addresses').map(({ address }) => address);
  const known = addresses.filter((address): address is string => typeof address === 'string' && isAddress(address));
  return [...new Set(known)].map((address) => ({ address, names: [name] }));
}

export function serviceNames(service: JsonObject, namespace: string): Names {
  const name = `${optionalString(objectAt(service, 'metadata'), 'name')}.${namespace}`;
  return clusterAddresses(objectAt(service, 'spec')).map((address) => ({ address, names: [name] }));
}

/** Addresses that answer for a Service (discovery.k8s.io/v1 EndpointSlice). */
function endpointsOf(slice: JsonObject, namespace: string): Endpoint[] {
  const service = optionalString(objectAt(objectAt(slice, 'metadata'), 'labels'), 'kubernetes.io/service-name');
  if (service === undefined) return [];
  const addresses = objectsAt(slice, 'endpoints').flatMap((endpoint) =>
    Array.isArray(endpoint.addresses) ? endpoint.addresses : [],
  );
  const known = addresses.filter((address): address is string => typeof address === 'string' && isAddress(address));
  const ports = objectsAt(slice, 'ports').flatMap(({ port }) => (typeof port === 'number' ? [port] : []));
  return known.map((address) => ({ address, service: `${service}.${namespace}`, ports }));
}

/**
 * A pod's names are its Services' and then its own. The last of the Services, by which it is grouped, is the one through
 * which it is most likely reached: its port is one that the pod declares, and it has an address of its own. A node's address
 * stays the node's, whatever answers there.
 */
function withServices(
  pods: readonly PodView[],
  services: Names,
  endpoints: readonly Endpoint[],
  isTarget: (service: string) => boolean,
): NamedAddress[] {
  const own = new Map(podNames(pods).map(({ address, names }) => [address, names]));
  const declared = new Map(pods.flatMap((pod) => pod.podIPs.map((address) => [address, declaredPorts(pod)] as const)));
  const withAddress = new Set(services.flatMap(({ names }) => names));
  const behind = new Map<string, Map<string, boolean>>();
  for (const { address, service, ports } of endpoints) {
    const all = behind.get(address) ?? new Map<string, boolean>();
    behind.set(address, all);
    const fits = ports.length === 0 || ports.some((port) => declared.get(address)?.has(port));
    all.set(service, fits || all.get(service) === true);
  }
  const ranked = (all: ReadonlyMap<string, boolean>) => {
    const rank = (name: string) => Number(all.get(name)) * 2 + Number(withAddress.has(name));
    return [...all.keys()].sort((a, b) => rank(a) - rank(b) || (a < b ? 1 : -1));
  };
  const records: NamedAddress[] = [...services];
  for (const address of new Set([...own.keys(), ...behind.keys()])) {
    const pod = own.get(address) ?? [];
    const isNode = pod[0]?.includes('/') === false;
    const all = isNode ? [] : ranked(behind.get(address) ?? new Map()).slice(-SERVICES_PER_POD);
    const named = all.filter(isTarget);
    records.push({ address, names: [...(named.length > 0 ? named : all), ...pod] });
  }
  return records;
}

function declaredPorts({ containers }: PodView): Set<number> {
  return new Set(containers.flatMap(({ ports }) => ports.map(({ port }) => port)));
}

function clusterAddresses(spec: ReturnType<typeof objectAt>): string[] {
  const all = [spec.clusterIP, ...(Array.isArray(spec.clusterIPs) ? spec.clusterIPs : [])];
  const addresses = all.filter((ip): ip is string => typeof ip === 'string' && ip !== '' && ip !== 'None');
  return [...new Set(addresses)];
}
