import { objectAt, optionalString } from '../../wire/guard.ts';
import { type PodView, podView } from '../kube/pod.ts';
import { superviseWatch } from '../kube/supervised-watch.ts';
import type { WatchEvent } from '../kube/watch.ts';
import type { LiveTargets } from './live-targets.ts';
import type { WatchContext } from './object-changes.ts';
import type { Owners } from './owners.ts';
import { type PodQuery, selectedBy } from './target-pods.ts';

export interface PodWatchContext extends WatchContext {
  readonly owners: Owners;
  readonly targets: LiveTargets;
}

/** Watches the pods of one query and holds those that are targets. */
export class PodWatch {
  /** True once every existing pod has been examined, false when the server refuses the watch or it was stopped. */
  readonly synced: Promise<boolean>;
  readonly #query: PodQuery;
  readonly #owners: Owners;
  readonly #targets: LiveTargets;
  readonly #stop = new AbortController();
  readonly #running: Promise<boolean>;
  /** Finding a pod's owners may take requests; pods are examined one after another, in the order of their events. */
  #queue: Promise<void> = Promise.resolve();

  constructor({ kube, health, signal, owners, targets }: PodWatchContext, query: PodQuery) {
    this.#query = query;
    this.#owners = owners;
    this.#targets = targets;
    const until = AbortSignal.any([signal, this.#stop.signal]);
    const synced = Promise.withResolvers<boolean>();
    this.synced = synced.promise;
    this.#running = superviseWatch({
      kube,
      name: query.key,
      collection: query,
      health,
      signal: until,
      onEvent: (event) => {
        if (event.type === 'synced') this.#enqueue(async () => synced.resolve(true));
        else this.#take(event, until);
      },
    });
    void this.#running.then(() => synced.resolve(false));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#queue;
  }

  #take(event: WatchEvent, until: AbortSignal): void {
    if (!('object' in event)) return;
    if (event.type === 'deleted') {
      const uid = optionalString(objectAt(event.object, 'metadata'), 'uid') ?? '';
      this.#enqueue(async () => this.#targets.release(this.#query.key, uid));
      return;
    }
    const pod = podView(event.object);
    this.#enqueue(async () => {
      if (!until.aborted) await this.#examine(pod);
    });
  }

  async #examine(pod: PodView): Promise<void> {
    const selection = await selectedBy(this.#query, pod, this.#owners);
    if (selection === undefined) this.#targets.release(this.#query.key, pod.uid);
    else this.#targets.hold(this.#query.key, pod, selection.via);
  }

  #enqueue(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(work).catch(() => {});
  }
}
