import { objectAt, optionalString } from '../wire/guard.ts';
import { list } from './kube/api.ts';
import type { Kube } from './kube/kube.ts';
import { type PodView, podView } from './kube/pod.ts';
import { resourcePath } from './kube/resource.ts';
import { podLabel } from './target.ts';

/** What an address is called: `namespace/pod`, `service.namespace`, or a node's name. */
export interface NameRecord {
  readonly address: string;
  readonly name: string;
}

/** Names of the captured pods themselves: known before their first packet. */
export function podNames(pods: readonly PodView[]): NameRecord[] {
  return pods.flatMap((pod) =>
    pod.podIPs.map((address) => ({ address, name: pod.hostNetwork ? pod.nodeName : podLabel(pod) })),
  );
}

/**
 * Names of whom the captured pods are likely to talk to: the pods and Services of their namespaces. What may not be
 * listed stays an address.
 */
export async function neighbourNames(
  kube: Kube,
  namespaces: Iterable<string>,
  signal: AbortSignal,
): Promise<NameRecord[]> {
  const lists = [...new Set(namespaces)].flatMap((namespace) => [
    list(kube, resourcePath('v1', namespace, 'pods'), {}, signal).then(({ items }) => podNames(items.map(podView))),
    list(kube, resourcePath('v1', namespace, 'services'), {}, signal).then(({ items }) =>
      items.flatMap((service) => {
        const metadata = objectAt(service, 'metadata');
        const spec = objectAt(service, 'spec');
        const name = `${optionalString(metadata, 'name')}.${namespace}`;
        return clusterAddresses(spec).map((address) => ({ address, name }));
      }),
    ),
  ]);
  const settled = await Promise.allSettled(lists);
  return settled.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
}

function clusterAddresses(spec: ReturnType<typeof objectAt>): string[] {
  const all = [spec.clusterIP, ...(Array.isArray(spec.clusterIPs) ? spec.clusterIPs : [])];
  const addresses = all.filter((ip): ip is string => typeof ip === 'string' && ip !== '' && ip !== 'None');
  return [...new Set(addresses)];
}
