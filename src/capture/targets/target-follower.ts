import { setTimeout as sleep } from 'node:timers/promises';
import { aborted } from '../aborted.ts';
import { type FoundNode, type Resolution, together } from '../kinds/kind.ts';
import type { Discovery } from '../kube/discovery.ts';
import type { Kube } from '../kube/kube.ts';
import { CHANGES_GATHER_MS } from '../limits.ts';
import { FollowHealth } from './follow-health.ts';
import type { FoundPod, TargetEvent } from './followed-targets.ts';
import { INITIAL, LiveTargets } from './live-targets.ts';
import { ObjectChanges } from './object-changes.ts';
import { Owners } from './owners.ts';
import { PodWatch, type PodWatchContext } from './pod-watch.ts';
import { podQueries } from './target-pods.ts';
import type { ResolvedRef } from './target-set.ts';

/** What a follower starts from. */
export interface Beginning {
  readonly kube: Kube;
  readonly discovery: Discovery;
  /** What the references resolved to when `initial` was taken, without their pods. */
  readonly first: readonly ResolvedRef[];
  readonly initial: { readonly pods: readonly FoundPod[]; readonly nodes: readonly FoundNode[] };
  /** Resolves the references again, without their pods. */
  readonly resolve: (signal: AbortSignal) => Promise<readonly ResolvedRef[]>;
  /** How many targets are allowed at once. */
  readonly maximum: number;
  /** The references are resolved again no more often than this, milliseconds. */
  readonly againMs: number;
}

/**
 * Keeps a set of targets up to date: one watch for each list of pods, and one for each collection whose change alters
 * which pods are listed (a Service's selector, an Ingress's backends, a new Deployment that matches a pattern).
 */
export class TargetFollower {
  readonly #resolve: Beginning['resolve'];
  readonly #againMs: number;
  readonly #signal: AbortSignal;
  readonly #targets: LiveTargets;
  readonly #context: PodWatchContext;
  /** By query, and by collection. */
  readonly #pods = new Map<string, PodWatch>();
  readonly #objects = new Map<string, ObjectChanges>();
  #resolved: readonly ResolvedRef[];
  #stale = new AbortController();

  constructor(beginning: Beginning, emit: (event: TargetEvent) => void, signal: AbortSignal) {
    const { kube, discovery, first, initial, maximum, resolve, againMs } = beginning;
    this.#resolve = resolve;
    this.#againMs = againMs;
    this.#signal = signal;
    this.#resolved = first;
    this.#targets = new LiveTargets(initial, maximum, emit);
    this.#context = {
      kube,
      owners: new Owners(kube, discovery, signal),
      health: new FollowHealth((message) => emit({ type: 'note', message })),
      targets: this.#targets,
      signal,
    };
  }

  /** Until the signal aborts. Never rejects. */
  async run(): Promise<void> {
    this.#watch();
    let resolvedAt = performance.now();
    while (!this.#signal.aborted) {
      await aborted(AbortSignal.any([this.#signal, this.#stale.signal]));
      // Changes often come together; they are resolved together.
      const wait = Math.max(CHANGES_GATHER_MS, resolvedAt + this.#againMs - performance.now());
      await sleep(wait, undefined, { signal: this.#signal }).catch(() => {});
      if (this.#signal.aborted) break;
      this.#stale = new AbortController();
      await this.#resolveAgain();
      resolvedAt = performance.now();
    }
    await Promise.allSettled([...this.#pods.values(), ...this.#objects.values()].map((watch) => watch.stop()));
  }

  async #resolveAgain(): Promise<void> {
    let resolved: readonly ResolvedRef[];
    try {
      resolved = await this.#resolve(this.#signal);
    } catch {
      return;
    }
    // A reference that cannot be resolved at the moment stays as it was: the end of its pods is noticed by their watches.
    this.#resolved = resolved.map((ref, index) =>
      ref.resolution === undefined ? (this.#resolved[index] ?? ref) : ref,
    );
    this.#watch();
    const { nodes } = this.#resolution();
    this.#targets.setNodes(nodes ?? []);
  }

  #resolution(): Resolution {
    return together(this.#resolved.flatMap(({ resolution }) => resolution ?? []));
  }

  /** Have exactly the watches that are needed now. */
  #watch(): void {
    const { pods, depends = [] } = this.#resolution();
    const queries = podQueries(pods);
    const begun = queries.flatMap((query) => {
      if (this.#pods.has(query.key)) return [];
      const watch = new PodWatch(this.#context, query);
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
      this.#objects.set(key, new ObjectChanges(this.#context, collection, changed));
    }
    for (const [key, watch] of this.#objects) {
      if (collections.has(key)) continue;
      this.#objects.delete(key);
      void watch.stop();
    }
  }

  /** New watches hold their pods before the watches they replace release them, so that no target goes and comes back. */
  async #handOver(begun: readonly Promise<boolean>[], ended: readonly [string, PodWatch][]): Promise<void> {
    const complete = (await Promise.all(begun)).every((synced) => synced);
    if (this.#signal.aborted) return;
    for (const [key, watch] of ended) {
      await watch.stop();
      this.#targets.releaseAll(key);
    }
    // Where a watch is refused, the targets found first stay.
    if (complete) this.#targets.releaseAll(INITIAL);
  }
}
