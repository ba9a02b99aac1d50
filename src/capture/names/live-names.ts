import { setTimeout as sleep } from 'node:timers/promises';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import { aborted } from '../aborted.ts';
import type { Kube } from '../kube/kube.ts';
import { podView } from '../kube/pod.ts';
import { resourcePath } from '../kube/resource.ts';
import { superviseWatch, type WatchHealth } from '../kube/supervised-watch.ts';
import type { WatchEvent } from '../kube/watch.ts';
import { NAMED_NAMESPACES, NAMES_INTERVAL_MS, NAMES_REMEMBERED } from '../limits.ts';
import { clusterNames } from './cluster-names.ts';
import { neighbourNames } from './names.ts';

export interface NameSubscription {
  readonly kube: Kube;
  /** Those of the captured pods. */
  readonly namespaces: Iterable<string>;
  /** Whether the user named a Service (`web.shop`): pods behind it go by it. */
  readonly isTarget: (service: string) => boolean;
  /** False: only the names that exist now. */
  readonly watch: boolean;
  /** Resolves when the first targets are captured: watches may begin. */
  readonly started: Promise<void>;
  readonly signal: AbortSignal;
  readonly onNames: (names: readonly NamedAddress[]) => void;
  /** Called once, when all names that exist now and may be read were given to `onNames`. */
  readonly onComplete: () => void;
}

/**
 * Names of the pods, Services and nodes that the captured pods probably talk to, then of the rest of the cluster, and later new
 * ones in the namespaces of the captured pods. An address that may not be listed or watched stays without a name, and
 * nothing is reported.
 * @returns when the signal aborts, or when no more names can come; never rejects
 */
export async function followNames(subscription: NameSubscription): Promise<void> {
  const { kube, namespaces, isTarget, watch, started, signal, onNames, onComplete } = subscription;
  const places = [...new Set(namespaces)];
  const known = new Map<string, string>();
  const list = async () => {
    const names = (await neighbourNames(kube, places, signal, isTarget)).filter(({ address, names }) => {
      const text = names.join(' ');
      if (known.get(address) === text || (known.size >= NAMES_REMEMBERED && !known.has(address))) return false;
      known.set(address, text);
      return true;
    });
    if (names.length > 0 && !signal.aborted) onNames(names);
  };
  const cluster = clusterNames(kube, signal);
  await list();
  const others = cluster.then((names) => {
    const unknown = names.filter(({ address }) => !known.has(address));
    if (unknown.length > 0 && !signal.aborted) onNames(unknown);
    onComplete();
  });
  if (!watch || places.length > NAMED_NAMESPACES) return others;
  const stopped = aborted(signal);
  await Promise.race([started, stopped]);
  let change = Promise.withResolvers<void>();
  const watches = watchPeers(kube, places, signal, () => change.resolve());
  while (!signal.aborted) {
    await Promise.race([change.promise, stopped]);
    // The events of a pod that starts come within a moment; one list covers them all.
    await sleep(NAMES_INTERVAL_MS, undefined, { signal }).catch(() => {});
    change = Promise.withResolvers();
    if (!signal.aborted) await list();
  }
  await Promise.all([...watches, others]);
}

/** Names are a help: a watch of them that fails is not reported. */
const UNREPORTED: WatchHealth = { interrupted: () => {}, resumed: () => {}, refused: () => {} };

/** Watch these namespaces for new addresses. */
function watchPeers(
  kube: Kube,
  places: readonly string[],
  signal: AbortSignal,
  changed: () => void,
): Promise<boolean>[] {
  const addresses = new Map<string, string>();
  const supervise = (name: string, path: string, onEvent: (event: WatchEvent) => void) =>
    superviseWatch({ kube, name, collection: { path }, health: UNREPORTED, signal, onEvent });
  return places.flatMap((place) => [
    supervise(`names of pods ${place}`, resourcePath('v1', place, 'pods'), (event) => {
      if (event.type !== 'added' && event.type !== 'modified') return;
      const { uid, podIPs, ready } = podView(event.object);
      // A pod that becomes ready now serves its Services.
      const now = `${podIPs.join()} ${ready}`;
      if (addresses.get(uid) === now || addresses.size >= NAMES_REMEMBERED) return;
      addresses.set(uid, now);
      if (podIPs.length > 0) changed();
    }),
    supervise(`names of services ${place}`, resourcePath('v1', place, 'services'), (event) => {
      if (event.type === 'added') changed();
    }),
  ]);
}
