import { isIP } from 'node:net';
import { type JsonObject, objectAt, objectsAt, optionalString } from '../../wire/guard.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import { call } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { LIST_PAGE } from '../kube/limits.ts';
import { resourcePath } from '../kube/resource.ts';
import { CLUSTER_PODS_NAMED, CLUSTER_SERVICES_NAMED } from '../limits.ts';
import { serviceNames } from './names.ts';

/** Pods as `kubectl get pods -o wide` has them: a fifth of the octets. */
const TABLE = 'application/json;as=Table;g=meta.k8s.io;v=v1';

/**
 * Names of the pods and Services of all namespaces, whoever of them is met. What may not be listed has no names, and
 * beyond the bounds there are none either. A pod with several addresses is known by its first.
 */
export async function clusterNames(kube: Kube, signal: AbortSignal): Promise<NamedAddress[]> {
  const [services, pods] = await Promise.all([servicesOfAll(kube, signal), podsOfAll(kube, signal)]);
  return [...services, ...pods].map((named) => ({ ...named, ifSeen: true as const }));
}

async function servicesOfAll(kube: Kube, signal: AbortSignal): Promise<NamedAddress[]> {
  const services: NamedAddress[] = [];
  const take = (page: JsonObject) => {
    const items = objectsAt(page, 'items');
    services.push(...items.flatMap((item) => serviceNames(item, namespaceOf(item))));
    return items.length;
  };
  await pages(kube, resourcePath('v1', undefined, 'services'), {}, undefined, CLUSTER_SERVICES_NAMED, take, signal);
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
      if (typeof address !== 'string' || isIP(address) === 0) continue;
      const pod = objectAt({ object }, 'object');
      const name = `${namespaceOf(pod)}/${optionalString(objectAt(pod, 'metadata'), 'name')}`;
      byAddress.set(address, byAddress.has(address) ? undefined : name);
    }
    return rows.length;
  };
  const running = { fieldSelector: 'status.phase=Running' };
  await pages(kube, resourcePath('v1', undefined, 'pods'), running, TABLE, CLUSTER_PODS_NAMED, take, signal);
  return [...byAddress].flatMap(([address, name]) => (name === undefined ? [] : [{ address, names: [name] }]));
}

/** Ask page by page. @param take returns how many objects a page had */
async function pages(
  kube: Kube,
  path: string,
  selectors: Readonly<Record<string, string>>,
  accept: string | undefined,
  maximum: number,
  take: (page: JsonObject) => number,
  signal: AbortSignal,
): Promise<void> {
  let token = '';
  let count = 0;
  try {
    do {
      const query = { ...selectors, limit: String(LIST_PAGE), ...(token !== '' && { continue: token }) };
      const page = await call(kube, { path, query, signal, ...(accept !== undefined && { accept }) });
      count += take(page);
      token = optionalString(objectAt(page, 'metadata'), 'continue') ?? '';
    } while (token !== '' && count < maximum);
  } catch {
    // Names are a help: what may not be listed stays an address.
  }
}

function namespaceOf(object: JsonObject): string {
  return optionalString(objectAt(object, 'metadata'), 'namespace') ?? '';
}
