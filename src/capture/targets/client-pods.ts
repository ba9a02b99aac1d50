import type { Kube } from '../kube/kube.ts';
import { podLabel } from '../kube/pod.ts';
import { CALLERS_MAXIMUM } from '../limits.ts';
import type { TargetEvent } from './followed-targets.ts';
import { Lookups } from './lookups.ts';
import { podAt } from './pod-at.ts';
import { isCapturable } from './target-pods.ts';

/** `--clients`: pods that are seen connecting to a target are captured as well. Clients of the clients are not. */
export class ClientPods {
  readonly #kube: Kube;
  /** Where pods are searched when those of all namespaces may not be listed. */
  readonly #namespaces: readonly string[];
  readonly #targets = new Set<string>();
  readonly #known = new Set<string>();
  readonly #lookups = new Lookups<string>((address) => this.#find(address));
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
        this.#lookups.emit({
          type: 'note',
          message: `more than ${CALLERS_MAXIMUM} addresses connect to the targets; pods of further addresses do not join.`,
        });
      this.#noted = true;
      return;
    }
    this.#known.add(address);
    this.#lookups.add(address);
  }

  /** Emit the pods of addresses that are seen, until the signal aborts. Never rejects. */
  follow(emit: (event: TargetEvent) => void, signal: AbortSignal): Promise<void> {
    return this.#lookups.follow(emit, signal);
  }

  async #find(address: string): Promise<void> {
    const pod = await podAt(this.#kube, address, this.#namespaces, this.#lookups.signal);
    // The network of a hostNetwork pod is its node's: the traffic there is not the pod's alone.
    if (pod === undefined || pod.hostNetwork || this.#targets.has(podLabel(pod))) return;
    if (isCapturable(pod)) this.#lookups.emit({ type: 'added', pod, via: ['client'] });
  }
}
