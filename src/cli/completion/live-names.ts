import type { ResourceKind } from '../../capture/kinds/kind.ts';
import type { Kube } from '../../capture/kube/kube.ts';
import { NameCache } from './name-cache.ts';

/** The cluster and namespace of the command line before the cursor; the kubeconfig's where it has none. */
export interface Place {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly namespace: string | undefined;
}

/** The names of a live cluster, for the shell: in time or none, and never an error. */
export interface LiveNames {
  contexts(place: Place): readonly string[];
  objects(place: Place, kind: ResourceKind): Promise<readonly string[]>;
  containers(place: Place, pods: readonly string[]): Promise<readonly string[]>;
  interfaces(place: Place, pods: readonly string[]): Promise<readonly string[]>;
}

/** A query to the cluster, and the key of its answer in the cache. */
interface Question {
  readonly place: Place;
  readonly key: string;
  ask(kube: Kube, namespace: string, signal: AbortSignal): Promise<readonly string[]>;
}

export interface Patience {
  /** How long a shell waits for an answer; after that there is none. */
  readonly deadline: AbortSignal;
  /** The cluster and namespace of the user's defaults, where the line has none. */
  readonly defaults: Place;
  /** Called with no answer in time: the same query may be repeated in the background. */
  readonly late: () => void;
}

export async function liveNames({ deadline, late, defaults }: Patience): Promise<LiveNames> {
  const [{ contextNames }, names] = await Promise.all([
    import('../../capture/kube/kubeconfig.ts'),
    import('../capture/cluster-names.ts'),
  ]);
  const cache = new NameCache();

  /** Fresh from the cache, else from the cluster; when that takes too long, what it was some minutes ago. */
  async function answer({ place: typed, key, ask }: Question): Promise<readonly string[]> {
    const place = withDefaults(typed);
    const full = [place.kubeconfig ?? process.env.KUBECONFIG ?? '', place.context ?? '', place.namespace ?? '', key];
    const known = cache.get(full);
    if (known?.fresh === true) return harmless(known.names);
    try {
      const found = harmless(await inTime(fromCluster(place, ask), deadline));
      cache.set(full, found);
      return found;
    } catch {
      if (deadline.aborted) late();
      return harmless(known?.names ?? []);
    }
  }

  async function fromCluster(place: Place, ask: Question['ask']): Promise<readonly string[]> {
    const { loadKube } = await import('../../capture/kube/config.ts');
    const { kubeconfig, context } = place;
    const kube = await loadKube({ kubeconfig, context });
    return ask(kube, place.namespace ?? kube.namespace, deadline);
  }

  const withDefaults = ({ kubeconfig, context, namespace }: Place): Place => ({
    kubeconfig: kubeconfig ?? defaults.kubeconfig,
    context: context ?? defaults.context,
    namespace: namespace ?? defaults.namespace,
  });
  const ofPods = (place: Place, pods: readonly string[], what: string, one: typeof names.containerNames) =>
    answer({
      place,
      key: `${what} of ${pods.join(' ')}`,
      ask: async (kube, namespace, signal) =>
        (await Promise.all(pods.map((pod) => one(kube, namespace, pod, signal)))).flat(),
    });

  return {
    contexts(place) {
      try {
        return harmless(contextNames(withDefaults(place).kubeconfig).names);
      } catch {
        return [];
      }
    },
    objects: (place, kind) =>
      answer({
        place,
        key: `${kind.api} ${kind.plural}`,
        ask: (kube, namespace, signal) => names.objectNames(kube, kind, namespace, signal),
      }),
    containers: (place, pods) => ofPods(place, pods, 'containers', names.containerNames),
    interfaces: (place, pods) => ofPods(place, pods, 'interfaces', names.interfaceNames),
  };
}

/** What a shell would not take as text. No name of Kubernetes has such a character. */
const ACTIVE = /[\s$`"'\\;&|<>(){}[\]*?!~#^\p{C}]/u;

/** Names that a shell takes as they are: a hostile API server may send others, such as `$(…)`, which the line would run. */
function harmless(names: readonly string[]): readonly string[] {
  return names.filter((name) => !ACTIVE.test(name));
}

/** @throws the signal's reason when it aborts first */
function inTime<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    answer.then(resolve, reject);
  });
}
