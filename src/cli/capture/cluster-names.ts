import { TARGET_KINDS } from '../../capture/kinds/index.ts';
import type { ResourceKind } from '../../capture/kinds/kind.ts';
import { find, listNames } from '../../capture/kube/api.ts';
import type { Kube } from '../../capture/kube/kube.ts';
import { podView } from '../../capture/kube/pod.ts';
import { resourcePath } from '../../capture/kube/resource.ts';
import { isObject, objectAt, optionalString, parseJson, stringsAt } from '../../wire/guard.ts';

/** Made by others of the list, and seldom asked for by name. */
const HIDDEN = new Set<string>(['replicaset', 'replicationcontroller']);

/** The names of a kind's objects. @throws KsnoopError when they may not be listed, or the cluster has no such kind */
export function objectNames(
  kube: Kube,
  { api, plural, namespaced }: ResourceKind,
  namespace: string,
  signal: AbortSignal,
): Promise<string[]> {
  return listNames(kube, resourcePath(api, namespaced ? namespace : undefined, plural), signal);
}

/** The namespaces of the cluster. @throws KsnoopError when they may not be listed */
export function namespaceNames(kube: Kube, signal: AbortSignal): Promise<string[]> {
  return listNames(kube, resourcePath('v1', undefined, 'namespaces'), signal);
}

/** Everything in a namespace that can be captured, as `kind/name`; kinds that may not be listed are left out. */
export async function targetNames(kube: Kube, namespace: string, signal: AbortSignal): Promise<string[]> {
  const lists = await Promise.allSettled(
    TARGET_KINDS.filter(({ name, namespaced }) => namespaced && !HIDDEN.has(name)).map(async (kind) => {
      const names = await objectNames(kube, kind, namespace, signal);
      return names.map((object) => `${kind.name}/${object}`);
    }),
  );
  const refused = lists.find((list) => list.status === 'rejected');
  if (refused !== undefined && lists.every((list) => list.status === 'rejected')) throw refused.reason;
  return lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : []));
}

/** The containers of a pod; none when there is no such pod. */
export async function containerNames(kube: Kube, namespace: string, pod: string, signal: AbortSignal) {
  const object = await find(kube, resourcePath('v1', namespace, 'pods', pod), signal);
  return object === undefined ? [] : podView(object).containers.map(({ name }) => name);
}

/** Where Multus writes which networks a pod has, and by which interfaces. */
const NETWORK_STATUS = 'k8s.v1.cni.cncf.io/network-status';

/** The interfaces of a pod as its annotation names them; none where the pod or the annotation does not exist. */
export async function interfaceNames(kube: Kube, namespace: string, pod: string, signal: AbortSignal) {
  const object = await find(kube, resourcePath('v1', namespace, 'pods', pod), signal);
  const status = stringsAt(objectAt(object ?? {}, 'metadata'), 'annotations')[NETWORK_STATUS];
  const networks = status === undefined ? [] : parseJson(status, `annotation ${NETWORK_STATUS}`);
  return (Array.isArray(networks) ? networks : []).flatMap((network: unknown) =>
    isObject(network) ? (optionalString(network, 'interface') ?? []) : [],
  );
}
