import { list } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { type PodView, podLabel, podView } from '../kube/pod.ts';
import { resourcePath } from '../kube/resource.ts';
import { CALLERS_MAXIMUM } from '../limits.ts';
import type { TargetEvent } from './followed-targets.ts';
import { isCapturable } from './target-pods.ts';

/**
 * `--clients`: whoever is seen speaking to a pod that was asked for is captured as well, if it is a pod. Those who speak
 * to the clients are not.
 */
export class ClientPods {
  readonly #kube: Kube;
  /** Where pods are looked for when those of all namespaces may not be listed. */
  readonly #namespaces: readonly string[];
  readonly #asked = new Set<string>();
  readonly #known = new Set<string>();
  readonly #waiting: string[] = [];
  #emit: ((event: TargetEvent) => void) | undefined;
  #signal: AbortSignal | undefined;
  #asking = false;
  #told = false;

  constructor(kube: Kube, namespaces: readonly string[]) {
    this.#kube = kube;
    this.#namespaces = namespaces;
  }

  /** A pod that was asked for: `namespace/pod`. */
  ask(label: string): void {
    this.#asked.add(label);
  }

  /** Somebody spoke to a captured pod. */
  see(label: string, address: string): void {
    if (this.#known.has(address) || !this.#asked.has(label)) return;
    if (this.#known.size >= CALLERS_MAXIMUM) {
      if (!this.#told)
        this.#emit?.({
          type: 'note',
          message: `more than ${CALLERS_MAXIMUM} addresses speak to the targets: no further ones are looked for.`,
        });
      this.#told = true;
      return;
    }
    this.#known.add(address);
    this.#waiting.push(address);
    void this.#askAll();
  }

  /** Tell the pods as they are seen, until the signal aborts. Never rejects. */
  async follow(emit: (event: TargetEvent) => void, signal: AbortSignal): Promise<void> {
    this.#emit = emit;
    this.#signal = signal;
    void this.#askAll();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#emit = undefined;
  }

  async #askAll(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    for (let address = this.#next(); address !== undefined; address = this.#next()) {
      const pod = await this.#podAt(address);
      // On their node's network is not the pod alone: its traffic would be everybody's there.
      if (pod === undefined || pod.hostNetwork || this.#asked.has(podLabel(pod))) continue;
      if (isCapturable(pod)) this.#emit?.({ type: 'added', pod, via: ['client'] });
    }
    this.#asking = false;
  }

  #next(): string | undefined {
    return this.#emit === undefined ? undefined : this.#waiting.shift();
  }

  async #podAt(address: string): Promise<PodView | undefined> {
    const fieldSelector = `status.podIP=${address}`;
    for (const namespace of [undefined, ...this.#namespaces]) {
      try {
        const { items } = await list(
          this.#kube,
          resourcePath('v1', namespace, 'pods'),
          { fieldSelector },
          this.#signal,
        );
        const [pod] = items.map(podView).filter(({ phase }) => phase === 'Running' || phase === 'Pending');
        if (pod !== undefined || namespace === undefined) return pod;
      } catch {
        // Those of all namespaces may not be listed, or nobody can be asked just now: the next place may know.
      }
    }
    return undefined;
  }
}
