import { setTimeout as sleep } from 'node:timers/promises';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import type { Kube } from '../kube/kube.ts';
import { podView } from '../kube/pod.ts';
import { resourcePath } from '../kube/resource.ts';
import { superviseWatch, type WatchHealth } from '../kube/supervised-watch.ts';
import { NAMED_NAMESPACES, NAMES_INTERVAL_MS, NAMES_REMEMBERED } from '../limits.ts';
import { clusterNames } from './cluster-names.ts';
import { neighbourNames } from './names.ts';

/**
 * Tell the names of whom the captured pods are likely to talk to, then of the rest of the cluster, and later those that
 * are new near the captured pods: pods that got their address, Services that were made. Names are a help: what may not be listed or watched stays an address, silently.
 * @param namespaces those of the captured pods
 * @param watching false: only what there is now
 * @param known called once: all names that there are now have been told, as far as anybody may know them
 * @returns when the signal aborts, or when nothing more can come; never rejects
 */
export async function tellNames(
  kube: Kube,
  namespaces: Iterable<string>,
  watching: boolean,
  signal: AbortSignal,
  tell: (names: readonly NamedAddress[]) => void,
  known: () => void,
): Promise<void> {
  const places = [...new Set(namespaces)];
  const told = new Map<string, string>();
  const look = async () => {
    const names = (await neighbourNames(kube, places, signal)).filter(({ address, names }) => {
      const text = names.join(' ');
      if (told.get(address) === text || (told.size >= NAMES_REMEMBERED && !told.has(address))) return false;
      told.set(address, text);
      return true;
    });
    if (names.length > 0 && !signal.aborted) tell(names);
  };
  const cluster = clusterNames(kube, signal);
  await look();
  const others = cluster.then((names) => {
    const strangers = names.filter(({ address }) => !told.has(address));
    if (strangers.length > 0 && !signal.aborted) tell(strangers);
    known();
  });
  if (!watching || places.length > NAMED_NAMESPACES) return others;
  let change = Promise.withResolvers<void>();
  const watches = watchPeers(kube, places, signal, () => change.resolve());
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  while (!signal.aborted) {
    await Promise.race([change.promise, stopped]);
    // What is told of a pod while it starts is told within a moment; one look for all of it.
    await sleep(NAMES_INTERVAL_MS, undefined, { signal }).catch(() => {});
    change = Promise.withResolvers();
    if (!signal.aborted) await look();
  }
  await Promise.all([...watches, others]);
}

/** Names are a help: a watch of them that fails is not reported. */
const UNREPORTED: WatchHealth = { interrupted: () => {}, resumed: () => {}, refused: () => {} };

/** Notice addresses that are new in these namespaces. */
function watchPeers(
  kube: Kube,
  places: readonly string[],
  signal: AbortSignal,
  changed: () => void,
): Promise<boolean>[] {
  const addresses = new Map<string, string>();
  return places.flatMap((place) => [
    superviseWatch(
      kube,
      `names of pods ${place}`,
      { path: resourcePath('v1', place, 'pods') },
      UNREPORTED,
      signal,
      (event) => {
        if (event.type !== 'added' && event.type !== 'modified') return;
        const { uid, podIPs, ready } = podView(event.object);
        // A pod that becomes ready is behind its Services from then on.
        const now = `${podIPs.join()} ${ready}`;
        if (addresses.get(uid) === now || addresses.size >= NAMES_REMEMBERED) return;
        addresses.set(uid, now);
        if (podIPs.length > 0) changed();
      },
    ),
    superviseWatch(
      kube,
      `names of services ${place}`,
      { path: resourcePath('v1', place, 'services') },
      UNREPORTED,
      signal,
      (event) => {
        if (event.type === 'added') changed();
      },
    ),
  ]);
}
