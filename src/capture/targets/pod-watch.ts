import { objectAt, optionalString } from '../../wire/guard.ts';
import type { Kube } from '../kube/kube.ts';
import { type PodView, podView } from '../kube/pod.ts';
import { superviseWatch, type WatchHealth } from '../kube/supervised-watch.ts';
import type { WatchEvent } from '../kube/watch.ts';
import type { LiveTargets } from './live-targets.ts';
import type { Owners } from './owners.ts';
import { type PodQuery, selectedBy } from './target-pods.ts';

/** Watches the pods of one query and holds those that were asked for. */
export class PodWatch {
  /** True once every pod there was has been looked at, false when the server does not let it be watched or it was stopped. */
  readonly synced: Promise<boolean>;
  readonly #query: PodQuery;
  readonly #owners: Owners;
  readonly #targets: LiveTargets;
  readonly #stop = new AbortController();
  readonly #running: Promise<boolean>;
  /** Whose a pod is may have to be asked for; pods are looked at one after another, in the order they were told. */
  #queue: Promise<void> = Promise.resolve();

  constructor(
    kube: Kube,
    query: PodQuery,
    owners: Owners,
    targets: LiveTargets,
    health: WatchHealth,
    signal: AbortSignal,
  ) {
    this.#query = query;
    this.#owners = owners;
    this.#targets = targets;
    const until = AbortSignal.any([signal, this.#stop.signal]);
    let tellSynced: (synced: boolean) => void = () => {};
    this.synced = new Promise((resolve) => {
      tellSynced = resolve;
    });
    this.#running = superviseWatch(kube, query.key, query, health, until, (event) => {
      if (event.type === 'synced') this.#enqueue(async () => tellSynced(true));
      else this.#take(event, until);
    });
    void this.#running.then(() => tellSynced(false));
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
      if (!until.aborted) await this.#look(pod);
    });
  }

  async #look(pod: PodView): Promise<void> {
    const selection = await selectedBy(this.#query, pod, this.#owners);
    if (selection === undefined) this.#targets.release(this.#query.key, pod.uid);
    else this.#targets.hold(this.#query.key, pod, selection.via);
  }

  #enqueue(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(work).catch(() => {});
  }
}
