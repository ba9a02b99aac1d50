import { list } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { type PodView, podView } from '../kube/pod.ts';
import { resourcePath } from '../kube/resource.ts';

/**
 * The pod that has an address now. Never rejects.
 * @param namespaces where it is searched when the pods of all namespaces may not be listed
 * @returns undefined where none is found
 */
export async function podAt(
  kube: Kube,
  address: string,
  namespaces: readonly string[],
  signal: AbortSignal | undefined,
): Promise<PodView | undefined> {
  const fieldSelector = `status.podIP=${address}`;
  for (const namespace of [undefined, ...namespaces]) {
    try {
      const { items } = await list(kube, resourcePath('v1', namespace, 'pods'), { fieldSelector }, signal);
      const [pod] = items.map(podView).filter(({ phase }) => phase === 'Running' || phase === 'Pending');
      if (pod !== undefined || namespace === undefined) return pod;
    } catch {
      // The pods of all namespaces may not be listed, or the server cannot be reached: try the next namespace.
    }
  }
  return undefined;
}
