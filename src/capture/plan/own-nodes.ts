import { KsnoopError } from '../../wire/errors.ts';
import { objectName } from '../kinds/object.ts';
import { find } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { resourcePath } from '../kube/resource.ts';
import type { TargetEvent } from '../targets/followed-targets.ts';

/** `--nodes`: the nodes that captured pods are on join as targets, each once. */
export class OwnNodes {
  readonly #kube: Kube;
  readonly #signal: AbortSignal;
  readonly #known = new Set<string>();

  constructor(kube: Kube, signal: AbortSignal) {
    this.#kube = kube;
    this.#signal = signal;
  }

  /** A node that is a target already. */
  has(name: string): void {
    this.#known.add(name);
  }

  /**
   * A captured pod is on a node. Never rejects.
   * @returns the node as a target, or why it cannot be one; undefined when it is one already
   */
  async join(name: string): Promise<Extract<TargetEvent, { type: 'node-added' | 'note' }> | undefined> {
    if (this.#known.has(name)) return undefined;
    this.#known.add(name);
    const refuse = (reason: string) =>
      ({ type: 'note', message: `the interfaces of node ${name} are not captured: ${reason}` }) as const;
    try {
      const object = await find(this.#kube, resourcePath('v1', undefined, 'nodes', name), this.#signal);
      if (object === undefined) return refuse('the cluster has no such node.');
      return { type: 'node-added', name, uid: objectName(object).uid };
    } catch (thrown) {
      if (this.#signal.aborted) return undefined;
      return refuse(thrown instanceof KsnoopError ? `${thrown.message} ${thrown.hint ?? ''}`.trim() : String(thrown));
    }
  }
}
