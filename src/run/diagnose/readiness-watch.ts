import type { ReadinessFacts } from '../../analyze/findings/cluster-facts.ts';
import type { Kube } from '../../capture/kube/kube.ts';
import { resourcePath } from '../../capture/kube/resource.ts';
import { superviseWatch, type WatchHealth } from '../../capture/kube/supervised-watch.ts';
import { type JsonObject, objectAt, objectsAt, optionalString } from '../../wire/guard.ts';

/** Pods whose readiness is remembered, at most. */
const PODS_MAXIMUM = 10_000;

interface Watched {
  readonly namespace: string;
  readonly pod: string;
  ready: boolean;
  changes: number;
}

/** Counts how often the pods of namespaces become ready and cease to be. */
export class ReadinessWatch {
  readonly #pods = new Map<string, Watched>();
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;

  /** Begins at once. A watch that is refused or broken counts nothing. */
  constructor(kube: Kube, namespaces: readonly string[]) {
    const health: WatchHealth = { interrupted: () => {}, resumed: () => {}, refused: () => {} };
    const { signal } = this.#stop;
    this.#running = Promise.all(
      namespaces.map((namespace) =>
        superviseWatch({
          kube,
          name: namespace,
          collection: { path: resourcePath('v1', namespace, 'pods') },
          health,
          signal,
          onEvent: (event) => {
            if ('object' in event) this.#take(event.object, event.type === 'deleted');
          },
        }),
      ),
    );
  }

  /** What was counted until now. */
  facts(): ReadinessFacts[] {
    return [...this.#pods.values()].map(({ namespace, pod, changes }) => ({ namespace, pod, changes }));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  #take(object: JsonObject, isDeleted: boolean): void {
    const metadata = objectAt(object, 'metadata');
    const uid = optionalString(metadata, 'uid') ?? '';
    if (isDeleted) {
      this.#pods.delete(uid);
      return;
    }
    const conditions = objectsAt(objectAt(object, 'status'), 'conditions');
    const ready = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
    const known = this.#pods.get(uid);
    if (known === undefined) {
      if (this.#pods.size >= PODS_MAXIMUM) return;
      const namespace = optionalString(metadata, 'namespace') ?? '';
      this.#pods.set(uid, { namespace, pod: optionalString(metadata, 'name') ?? '', ready, changes: 0 });
    } else if (known.ready !== ready) {
      known.ready = ready;
      known.changes += 1;
    }
  }
}
