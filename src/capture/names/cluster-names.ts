import { isAddress } from '../../wire/address-text.ts';
import { type JsonObject, objectAt, objectsAt, optionalString } from '../../wire/guard.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import { type ApiCall, call } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { LIST_PAGE } from '../kube/limits.ts';
import { resourcePath } from '../kube/resource.ts';
import { CLUSTER_PODS_NAMED, CLUSTER_SERVICES_NAMED } from '../limits.ts';
import { serviceNames } from './names.ts';

/** Pods as `kubectl get pods -o wide` has them: a fifth of the bytes. */
const TABLE = 'application/json;as=Table;g=meta.k8s.io;v=v1';

/**
 * Names of the pods and Services of all namespaces, to be written when one of their addresses is seen. What may not be listed
 * has no names, nor what is beyond the bounds. A pod with several addresses is named at its first.
 */
export async function clusterNames(kube: Kube, signal: AbortSignal): Promise<NamedAddress[]> {
  // One after the other, over one connection: see neighbourNames.
  const services = await servicesOfAll(kube, signal);
  const pods = await podsOfAll(kube, signal);
  return [...services, ...pods].map((named) => ({ ...named, ifSeen: true as const }));
}

async function servicesOfAll(kube: Kube, signal: AbortSignal): Promise<NamedAddress[]> {
  const services: NamedAddress[] = [];
  const take = (page: JsonObject) => {
    const items = objectsAt(page, 'items');
    services.push(...items.flatMap((item) => serviceNames(item, namespaceOf(item))));
    return items.length;
  };
  const path = resourcePath('v1', undefined, 'services');
  await readPages({ kube, call: { path, signal }, maximum: CLUSTER_SERVICES_NAMED, take });
  return services;
}

/** Those that run. An address that several have is their node's. */
async function podsOfAll(kube: Kube, signal: AbortSignal): Promise<NamedAddress[]> {
  const byAddress = new Map<string, string | undefined>();
  const take = (page: JsonObject) => {
    const column = objectsAt(page, 'columnDefinitions').findIndex(({ name }) => name === 'IP');
    const rows = objectsAt(page, 'rows');
    for (const { cells, object } of rows) {
      const address = Array.isArray(cells) ? cells[column] : undefined;
      if (typeof address !== 'string' || !isAddress(address)) continue;
      const pod = objectAt({ object }, 'object');
      const name = `${namespaceOf(pod)}/${optionalString(objectAt(pod, 'metadata'), 'name')}`;
      byAddress.set(address, byAddress.has(address) ? undefined : name);
    }
    return rows.length;
  };
  const path = resourcePath('v1', undefined, 'pods');
  const query = { fieldSelector: 'status.phase=Running' };
  await readPages({ kube, call: { path, query, accept: TABLE, signal }, maximum: CLUSTER_PODS_NAMED, take });
  return [...byAddress].flatMap(([address, name]) => (name === undefined ? [] : [{ address, names: [name] }]));
}

interface Pages {
  readonly kube: Kube;
  /** The list, without a page's own parameters. */
  readonly call: ApiCall;
  /** No page is read after so many objects. */
  readonly maximum: number;
  /** Returns how many objects a page has. */
  readonly take: (page: JsonObject) => number;
}

/** Read a list page by page. Never rejects: names are a help, and what may not be listed stays an address. */
async function readPages({ kube, call: request, maximum, take }: Pages): Promise<void> {
  let token = '';
  let count = 0;
  try {
    do {
      const query = { ...request.query, limit: String(LIST_PAGE), ...(token !== '' && { continue: token }) };
      const page = await call(kube, { ...request, query });
      count += take(page);
      token = optionalString(objectAt(page, 'metadata'), 'continue') ?? '';
    } while (token !== '' && count < maximum);
  } catch {
    // The addresses have no names.
  }
}

function namespaceOf(object: JsonObject): string {
  return optionalString(objectAt(object, 'metadata'), 'namespace') ?? '';
}
