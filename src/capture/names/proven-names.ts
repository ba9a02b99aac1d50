import { isAddress } from '../../wire/address-text.ts';
import { type JsonObject, objectAt, objectsAt, optionalString } from '../../wire/guard.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import { listPages } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { podView } from '../kube/pod.ts';
import { resourcePath } from '../kube/resource.ts';
import { CLUSTER_PODS_NAMED, CLUSTER_SERVICES_NAMED, NAMED_BEFORE_MS } from '../limits.ts';
import { podNames, serviceNames } from './names.ts';

/** One kind of object that gives names, and how many are read. */
interface Source {
  readonly resource: 'pods' | 'services';
  readonly maximum: number;
  readonly read: (object: JsonObject, before: number) => readonly NamedAddress[];
}

const SOURCES: readonly Source[] = [
  { resource: 'services', maximum: CLUSTER_SERVICES_NAMED, read: namesOfService },
  { resource: 'pods', maximum: CLUSTER_PODS_NAMED, read: namesOfPod },
];

/** Ends a list that has enough. */
const ENOUGH = Symbol('enough');

/**
 * Names that addresses have had without a break since a moment in the past: of Services and of pods, for packets that were recorded since.
 * What was made or changed after it has no name, nor what may not be listed; the objects of one namespace come before all others.
 * @param since milliseconds since 1970
 */
export async function provenNames(
  kube: Kube,
  { namespace, since }: { readonly namespace: string; readonly since: number },
  signal: AbortSignal,
): Promise<NamedAddress[]> {
  const named = new Map<string, NamedAddress>();
  for (const { resource, maximum, read } of SOURCES) {
    for (const of of [namespace, undefined]) {
      let count = 0;
      const take = (page: readonly JsonObject[]) => {
        for (const object of page) {
          for (const name of read(object, since - NAMED_BEFORE_MS)) {
            if (!named.has(name.address)) named.set(name.address, name);
          }
        }
        count += page.length;
        if (count >= maximum) throw ENOUGH;
      };
      // Names are a help: where they may not be listed, there are none.
      await listPages(kube, { path: resourcePath('v1', of, resource), selectors: {}, signal }, take).catch(() => {});
      signal.throwIfAborted();
    }
  }
  return [...named.values()];
}

/**
 * A Service has its addresses from its creation on, unless it is made one of type ExternalName meanwhile: so nothing of its spec was written
 * since. Who has written what and when is in managedFields; without them nothing is proven.
 */
function namesOfService(service: JsonObject, before: number): readonly NamedAddress[] {
  const metadata = objectAt(service, 'metadata');
  const writers = objectsAt(metadata, 'managedFields').filter(({ subresource }) => subresource === undefined);
  const isOld = writers.length > 0 && writers.every(({ time }) => isBefore(time, before));
  if (!isOld || !isBefore(metadata.creationTimestamp, before)) return [];
  return serviceNames(service, optionalString(metadata, 'namespace') ?? '').filter(({ address }) => isAddress(address));
}

/**
 * A pod has its addresses as long as its sandbox: all its containers end before another one is made. So one that has run since before
 * proves them, and so does the condition that its kubelet writes anew with each sandbox.
 */
function namesOfPod(pod: JsonObject, before: number): readonly NamedAddress[] {
  const view = podView(pod);
  const isOld = isBefore(objectAt(pod, 'metadata').creationTimestamp, before);
  if (view.hostNetwork || view.phase !== 'Running' || !isOld) return [];
  const status = objectAt(pod, 'status');
  const containers = [...objectsAt(status, 'containerStatuses'), ...objectsAt(status, 'initContainerStatuses')];
  const runs = containers.some((container) =>
    isBefore(objectAt(objectAt(container, 'state'), 'running').startedAt, before),
  );
  const isReady = objectsAt(status, 'conditions').some(
    (condition) =>
      condition.type === 'PodReadyToStartContainers' &&
      condition.status === 'True' &&
      isBefore(condition.lastTransitionTime, before),
  );
  if (!runs && !isReady) return [];
  return podNames([view]).filter(({ address }) => isAddress(address));
}

/** @param time RFC 3339, cut to whole seconds @param before milliseconds since 1970 */
function isBefore(time: unknown, before: number): boolean {
  return typeof time === 'string' && Date.parse(time) < before;
}
