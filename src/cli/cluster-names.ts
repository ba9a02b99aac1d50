import { find, listNames } from '../capture/kube/api.ts';
import type { Kube } from '../capture/kube/kube.ts';
import { podView } from '../capture/kube/pod.ts';
import { resourcePath } from '../capture/kube/resource.ts';

/** Kinds whose objects are offered by name, the most wanted first. */
const OFFERED = [{ name: 'pod', api: 'v1', plural: 'pods', namespaced: true }] as const;

/** The namespaces of the cluster. @throws KsnoopError when they may not be listed */
export function namespaceNames(kube: Kube, signal: AbortSignal): Promise<string[]> {
  return listNames(kube, resourcePath('v1', undefined, 'namespaces'), signal);
}

/** Everything in a namespace that can be captured, as `kind/name`; kinds that may not be listed are left out. */
export async function targetNames(kube: Kube, namespace: string, signal: AbortSignal): Promise<string[]> {
  const lists = await Promise.allSettled(
    OFFERED.map(async ({ name, api, plural, namespaced }) => {
      const names = await listNames(kube, resourcePath(api, namespaced ? namespace : undefined, plural), signal);
      return names.map((object) => `${name}/${object}`);
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
