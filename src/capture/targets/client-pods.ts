import type { Kube } from '../kube/kube.ts';
import { podLabel } from '../kube/pod.ts';
import { CALLERS_MAXIMUM } from '../limits.ts';
import type { TargetEvent } from './followed-targets.ts';
import { podAt } from './pod-at.ts';
import { isCapturable } from './target-pods.ts';

/** `--clients`: pods that are seen connecting to a target are captured as well. Clients of the clients are not. */
export class ClientPods {
  readonly #kube: Kube;
  /** Where pods are searched when those of all namespaces may not be listed. */
  readonly #namespaces: readonly string[];
  readonly #targets = new Set<string>();
  readonly #known = new Set<string>();
  readonly #waiting: string[] = [];
  #emit: ((event: TargetEvent) => void) | undefined;
  #signal: AbortSignal | undefined;
  #finding = false;
  #noted = false;

  constructor(kube: Kube, namespaces: readonly string[]) {
    this.#kube = kube;
    this.#namespaces = namespaces;
  }

  /** A pod that is a target itself: `namespace/pod`. */
  addTarget(label: string): void {
    this.#targets.add(label);
  }

  /** An address connected to a captured pod. */
  see(label: string, address: string): void {
    if (this.#known.has(address) || !this.#targets.has(label)) return;
    if (this.#known.size >= CALLERS_MAXIMUM) {
      if (!this.#noted)
        this.#emit?.({
          type: 'note',
          message: `more than ${CALLERS_MAXIMUM} addresses connect to the targets; pods of further addresses do not join.`,
        });
      this.#noted = true;
      return;
    }
    this.#known.add(address);
    this.#waiting.push(address);
    void this.#findAll();
  }

  /** Emit the pods of addresses that are seen, until the signal aborts. Never rejects. */
  async follow(emit: (event: TargetEvent) => void, signal: AbortSignal): Promise<void> {
    this.#emit = emit;
    this.#signal = signal;
    void this.#findAll();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#emit = undefined;
  }

  async #findAll(): Promise<void> {
    if (this.#finding) return;
    this.#finding = true;
    for (let address = this.#next(); address !== undefined; address = this.#next()) {
      const pod = await podAt(this.#kube, address, this.#namespaces, this.#signal);
      // The network of a hostNetwork pod is its node's: the traffic there is not the pod's alone.
      if (pod === undefined || pod.hostNetwork || this.#targets.has(podLabel(pod))) continue;
      if (isCapturable(pod)) this.#emit?.({ type: 'added', pod, via: ['client'] });
    }
    this.#finding = false;
  }

  #next(): string | undefined {
    return this.#emit === undefined ? undefined : this.#waiting.shift();
  }
}
