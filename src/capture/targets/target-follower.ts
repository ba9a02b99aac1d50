import { setTimeout as sleep } from 'node:timers/promises';
import { type FoundNode, type Resolution, together } from '../kinds/kind.ts';
import type { Discovery } from '../kube/discovery.ts';
import type { Kube } from '../kube/kube.ts';
import { CHANGES_GATHER_MS } from '../limits.ts';
import { FollowHealth } from './follow-health.ts';
import type { FoundPod, TargetEvent } from './followed-targets.ts';
import { INITIAL, LiveTargets } from './live-targets.ts';
import { ObjectChanges } from './object-changes.ts';
import { Owners } from './owners.ts';
import { PodWatch } from './pod-watch.ts';
import { podQueries } from './target-pods.ts';
import type { Answer } from './target-set.ts';

interface Beginning {
  /** What the words stood for when `initial` was taken. */
  readonly first: readonly Answer[];
  readonly initial: { readonly pods: readonly FoundPod[]; readonly nodes: readonly FoundNode[] };
  /** Ask again what the words stand for. */
  readonly ask: (signal: AbortSignal) => Promise<readonly Answer[]>;
  readonly maximum: number;
}

/**
 * Keeps a set of targets true: one watch for each list of pods that was asked, and one for each collection whose change
 * alters what is to be listed (a Service's selector, an Ingress's backends, a new Deployment that a pattern takes).
 */
export class TargetFollower {
  readonly #kube: Kube;
  readonly #begin: Beginning;
  readonly #signal: AbortSignal;
  readonly #owners: Owners;
  readonly #targets: LiveTargets;
  readonly #health: FollowHealth;
  /** By query, and by collection. */
  readonly #pods = new Map<string, PodWatch>();
  readonly #objects = new Map<string, ObjectChanges>();
  #answers: readonly Answer[];
  #stale = new AbortController();

  constructor(
    kube: Kube,
    discovery: Discovery,
    begin: Beginning,
    emit: (event: TargetEvent) => void,
    signal: AbortSignal,
  ) {
    this.#kube = kube;
    this.#begin = begin;
    this.#signal = signal;
    this.#answers = begin.first;
    this.#owners = new Owners(kube, discovery, signal);
    this.#health = new FollowHealth((message) => emit({ type: 'note', message }));
    this.#targets = new LiveTargets(begin.initial, begin.maximum, emit);
  }

  /** Until the signal aborts. Never rejects. */
  async run(): Promise<void> {
    this.#watch();
    while (!this.#signal.aborted) {
      await aborted(AbortSignal.any([this.#signal, this.#stale.signal]));
      // Changes come in flocks; one look for all of them.
      await sleep(CHANGES_GATHER_MS, undefined, { signal: this.#signal }).catch(() => {});
      if (this.#signal.aborted) break;
      this.#stale = new AbortController();
      await this.#askAgain();
    }
    await Promise.allSettled([...this.#pods.values(), ...this.#objects.values()].map((watch) => watch.stop()));
  }

  async #askAgain(): Promise<void> {
    let answers: readonly Answer[];
    try {
      answers = await this.#begin.ask(this.#signal);
    } catch {
      return;
    }
    // What cannot be found just now is taken to be as it was: its pods are watched and tell of their own end.
    this.#answers = answers.map((answer, index) =>
      answer.selected === undefined ? (this.#answers[index] ?? answer) : answer,
    );
    this.#watch();
    const { nodes } = this.#selected();
    this.#targets.setNodes(nodes ?? []);
  }

  #selected(): Resolution {
    return together(this.#answers.flatMap(({ selected }) => selected ?? []));
  }

  /** Have exactly the watches that are needed now. */
  #watch(): void {
    const { pods, depends = [] } = this.#selected();
    const queries = podQueries(pods);
    const begun = queries.flatMap((query) => {
      if (this.#pods.has(query.key)) return [];
      const watch = new PodWatch(this.#kube, query, this.#owners, this.#targets, this.#health, this.#signal);
      this.#pods.set(query.key, watch);
      return [watch.synced];
    });
    const wanted = new Set(queries.map(({ key }) => key));
    const ended = [...this.#pods].filter(([key]) => !wanted.has(key));
    for (const [key] of ended) this.#pods.delete(key);
    void this.#handOver(begun, ended);

    const collections = new Map(depends.map((collection) => [JSON.stringify(collection), collection]));
    for (const [key, collection] of collections) {
      if (this.#objects.has(key)) continue;
      const changed = () => this.#stale.abort();
      this.#objects.set(key, new ObjectChanges(this.#kube, collection, changed, this.#health, this.#signal));
    }
    for (const [key, watch] of this.#objects) {
      if (collections.has(key)) continue;
      this.#objects.delete(key);
      void watch.stop();
    }
  }

  /** New watches hold their pods before those they replace let go of them, so that nothing goes that stays. */
  async #handOver(begun: readonly Promise<boolean>[], ended: readonly [string, PodWatch][]): Promise<void> {
    const complete = (await Promise.all(begun)).every((synced) => synced);
    if (this.#signal.aborted) return;
    for (const [key, watch] of ended) {
      await watch.stop();
      this.#targets.releaseAll(key);
    }
    // Where something may not be watched, what was found first stays.
    if (complete) this.#targets.releaseAll(INITIAL);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
