import { KsnoopError } from '../../wire/errors.ts';
import type { JsonObject } from '../../wire/guard.ts';
import { list } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { resourcePath } from '../kube/resource.ts';

/** Kinds that say what a Service consists of: API and plural. */
const KINDS = {
  services: 'v1',
  pods: 'v1',
  endpointslices: 'discovery.k8s.io/v1',
  ingresses: 'networking.k8s.io/v1',
} as const;

export type NamespaceKind = keyof typeof KINDS;

/** Objects as the API server has them, or why they could not be read. */
export type NamespaceObjects = Readonly<Record<NamespaceKind, readonly JsonObject[] | KsnoopError>>;

/**
 * The Services of a namespace and what they consist of. The four lists are read at the same time.
 * @throws what is no KsnoopError, and the signal's reason
 */
export async function namespaceObjects(kube: Kube, namespace: string, signal: AbortSignal): Promise<NamespaceObjects> {
  const read = async (kind: NamespaceKind) => {
    try {
      return (await list(kube, resourcePath(KINDS[kind], namespace, kind), {}, signal)).items;
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof KsnoopError) return thrown;
      throw thrown;
    }
  };
  const [services, pods, endpointslices, ingresses] = await Promise.all([
    read('services'),
    read('pods'),
    read('endpointslices'),
    read('ingresses'),
  ]);
  return { services, pods, endpointslices, ingresses };
}
