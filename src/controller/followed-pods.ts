import type { Kube } from '../capture/kube/kube.ts';
import type { PodView } from '../capture/kube/pod.ts';
import type { TargetEvent } from '../capture/targets/followed-targets.ts';
import { findTargetSet } from '../capture/targets/target-set.ts';
import { KsnoopError } from '../wire/errors.ts';
import type { Gate } from '../wire/gate.ts';
import type { CaptureView } from './capture-object.ts';
import { PODS_MAXIMUM, RESOLVE_AGAIN_MS, TARGETS_AT_ONCE } from './limits.ts';

const BOUNDS = { maximum: PODS_MAXIMUM, againMs: RESOLVE_AGAIN_MS, atOnce: TARGETS_AT_ONCE, kept };

/** What is needed of a pod: a tenant may give its labels and containers a megabyte and a half, in each of 256 pods of many Captures. */
function kept(pod: PodView): PodView {
  return { ...pod, labels: {}, containers: [], owners: [], podIPs: [], reason: '', message: '' };
}

/** Targets that have no pods, and why. */
export interface TargetProblems {
  /** Objects that do not exist or cannot be looked up, and patterns that match nothing. */
  readonly missing: readonly KsnoopError[];
  /** Objects that exist and have no pods now. */
  readonly waiting: readonly KsnoopError[];
}

/**
 * The pods of one Capture, now and as they change. Only pods of the Capture's own namespace are ever in it, whatever led to
 * others: a Service without a selector, an Ingress, a route.
 */
export class FollowedPods {
  readonly #abort = new AbortController();
  readonly #namespace: string;
  readonly #pods = new Map<string, PodView>();
  readonly #changed: () => void;
  #problems: TargetProblems = { missing: [], waiting: [] };
  #found = false;

  /**
   * @param gate bounds the lookups at a time
   * @param changed called after every change of `pods`
   */
  constructor(kube: Kube, gate: Gate, capture: CaptureView, changed: () => void) {
    this.#namespace = capture.namespace;
    this.#changed = changed;
    void this.#follow(kube, gate, capture);
  }

  /** Whether the targets were looked up; until then nothing is known of the pods. */
  get isFound(): boolean {
    return this.#found;
  }

  /** By UID. */
  get pods(): ReadonlyMap<string, PodView> {
    return this.#pods;
  }

  get problems(): TargetProblems {
    return this.#problems;
  }

  stop(): void {
    this.#abort.abort();
  }

  async #follow(kube: Kube, gate: Gate, capture: CaptureView): Promise<void> {
    const { signal } = this.#abort;
    try {
      const query = {
        refs: capture.targets,
        namespaces: [capture.namespace],
        nodes: [],
        // The pods of an Ingress's controller belong to somebody else.
        sides: { backends: true, controller: false },
        crossNamespaces: false,
      };
      const set = await gate.run(async () => {
        signal.throwIfAborted();
        return findTargetSet(kube, query, BOUNDS, signal);
      });
      const errors = (targets: typeof set.refused) => targets.map(({ error }) => error);
      this.#problems = { missing: errors(set.refused), waiting: errors(set.waiting) };
      for (const { pod } of set.initial.pods) this.#add(pod);
      this.#found = true;
      this.#changed();
      await set.follow((event) => this.#take(event), signal);
    } catch (thrown) {
      if (signal.aborted) return;
      const failure =
        thrown instanceof KsnoopError ? thrown : new KsnoopError('API_ERROR', 'The targets cannot be looked up.');
      this.#problems = { missing: [failure], waiting: [] };
      this.#found = true;
      this.#changed();
    }
  }

  #take(event: TargetEvent): void {
    if (event.type === 'added') this.#add(event.pod);
    else if (event.type === 'gone') this.#pods.delete(event.uid);
    else return;
    this.#changed();
  }

  #add(pod: PodView): void {
    if (pod.namespace === this.#namespace && this.#pods.size < PODS_MAXIMUM) this.#pods.set(pod.uid, kept(pod));
  }
}
