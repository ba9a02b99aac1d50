import { KsnoopError } from '../../wire/errors.ts';
import { type JsonObject, objectAt, objectsAt, optionalString } from '../../wire/guard.ts';
import { find, list } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { resourcePath } from '../kube/resource.ts';

/** Kinds that say what a Service consists of: API and plural. */
const KINDS = {
  services: 'v1',
  pods: 'v1',
  endpointslices: 'discovery.k8s.io/v1',
  ingresses: 'networking.k8s.io/v1',
  networkpolicies: 'networking.k8s.io/v1',
} as const;

/** Classes of Ingresses that are looked up, at most: a cluster has one or two. */
const CLASSES_MAXIMUM = 8;

export type NamespaceKind = keyof typeof KINDS;

/** Objects as the API server has them, or why they could not be read. */
export interface NamespaceObjects extends Readonly<Record<NamespaceKind, readonly JsonObject[] | KsnoopError>> {
  /** The namespace itself. */
  readonly namespace: JsonObject | KsnoopError;
  /** IngressClasses that Ingresses of the namespace name and the cluster does not have. */
  readonly absentClasses: readonly string[] | KsnoopError;
  /** Warnings about pods, where some pod is not ready: only then they are read. */
  readonly events: readonly JsonObject[] | KsnoopError;
}

/**
 * The Services of a namespace and what they consist of. All is read at the same time.
 * @throws what is no KsnoopError, and the signal's reason
 */
export async function namespaceObjects(kube: Kube, namespace: string, signal: AbortSignal): Promise<NamespaceObjects> {
  const orRefusal = async <Objects>(read: Promise<Objects>): Promise<Objects | KsnoopError> => {
    try {
      return await read;
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof KsnoopError) return thrown;
      throw thrown;
    }
  };
  const items = async (kind: NamespaceKind) =>
    (await list(kube, resourcePath(KINDS[kind], namespace, kind), {}, signal)).items;
  const [services, pods, endpointslices, ingresses, networkpolicies, object] = await Promise.all([
    orRefusal(items('services')),
    orRefusal(items('pods')),
    orRefusal(items('endpointslices')),
    orRefusal(items('ingresses')),
    orRefusal(items('networkpolicies')),
    orRefusal(find(kube, resourcePath('v1', undefined, 'namespaces', namespace), signal)),
  ]);
  const [absentClasses, events] = await Promise.all([
    orRefusal(absentOf(kube, ingresses instanceof KsnoopError ? [] : ingresses, signal)),
    pods instanceof KsnoopError || pods.every(isReady) ? [] : orRefusal(warningsOf(kube, namespace, signal)),
  ]);
  return { services, pods, endpointslices, ingresses, networkpolicies, namespace: object ?? {}, absentClasses, events };
}

function isReady(pod: JsonObject): boolean {
  const conditions = objectsAt(objectAt(pod, 'status'), 'conditions');
  return !conditions.some((one) => optionalString(one, 'type') === 'Ready' && optionalString(one, 'status') !== 'True');
}

/** Warnings about the pods of a namespace: failed probes, back-offs, volumes and images that are missing. */
async function warningsOf(kube: Kube, namespace: string, signal: AbortSignal): Promise<readonly JsonObject[]> {
  const fieldSelector = 'involvedObject.kind=Pod,type=Warning';
  return (await list(kube, resourcePath('v1', namespace, 'events'), { fieldSelector }, signal)).items;
}

/** Classes that these Ingresses name and that do not exist. */
async function absentOf(kube: Kube, ingresses: readonly JsonObject[], signal: AbortSignal): Promise<string[]> {
  const named = new Set(ingresses.flatMap((one) => optionalString(objectAt(one, 'spec'), 'ingressClassName') || []));
  const classes = [...named].slice(0, CLASSES_MAXIMUM);
  const found = await Promise.all(
    classes.map((name) => find(kube, resourcePath('networking.k8s.io/v1', undefined, 'ingressclasses', name), signal)),
  );
  return classes.filter((_, index) => found[index] === undefined);
}
