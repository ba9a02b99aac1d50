import { createHash } from 'node:crypto';
import type { FoundNode } from '../kinds/kind.ts';
import { type PodView, podLabel } from '../kube/pod.ts';
import type { FoundPod, TargetEvent } from './followed-targets.ts';
import { isCapturable } from './target-pods.ts';

/** The holder of the pods that were found before the watches started. */
export const INITIAL = 'initial';

/** Characters of containers' IDs that are kept as they are. */
const IDS_KEPT = 512;

interface Held {
  readonly label: string;
  /** Its containers' IDs: a pod whose sandbox or containers were created is emitted again. */
  containers: string;
  readonly holders: Set<string>;
}

/** The targets at the moment: a pod is one as long as at least one watch holds it. */
export class LiveTargets {
  readonly #pods = new Map<string, Held>();
  readonly #nodes = new Map<string, FoundNode>();
  readonly #maximum: number;
  readonly #emit: (event: TargetEvent) => void;
  #full = false;

  constructor(
    initial: { readonly pods: readonly FoundPod[]; readonly nodes: readonly FoundNode[] },
    maximum: number,
    emit: (event: TargetEvent) => void,
  ) {
    this.#maximum = maximum;
    this.#emit = emit;
    for (const { pod } of initial.pods) {
      this.#pods.set(pod.uid, { label: podLabel(pod), containers: containersOf(pod), holders: new Set([INITIAL]) });
    }
    for (const node of initial.nodes) this.#nodes.set(node.uid, node);
  }

  /** A watch sees a pod that is a target, as it is now. */
  hold(holder: string, pod: PodView, via: readonly string[]): void {
    const held = this.#pods.get(pod.uid);
    if (!isCapturable(pod)) {
      if (held !== undefined) this.#gone(pod.uid, held);
      return;
    }
    const containers = containersOf(pod);
    if (held === undefined) {
      if (!this.#hasRoom(podLabel(pod))) return;
      this.#pods.set(pod.uid, { label: podLabel(pod), containers, holders: new Set([holder]) });
    } else {
      held.holders.add(holder);
      if (held.containers === containers) return;
      held.containers = containers;
    }
    this.#emit({ type: 'added', pod, via });
  }

  /** A watch no longer sees a pod, or the pod is no longer a target. */
  release(holder: string, uid: string): void {
    const held = this.#pods.get(uid);
    if (held?.holders.delete(holder) && held.holders.size === 0) this.#gone(uid, held);
  }

  releaseAll(holder: string): void {
    for (const uid of [...this.#pods.keys()]) this.release(holder, uid);
  }

  /** The nodes that are targets now. */
  setNodes(nodes: readonly FoundNode[]): void {
    const now = new Set(nodes.map(({ uid }) => uid));
    for (const [uid, { name }] of this.#nodes) {
      if (now.has(uid)) continue;
      this.#nodes.delete(uid);
      this.#full = false;
      this.#emit({ type: 'gone', uid, label: `node/${name}` });
    }
    for (const node of nodes) {
      if (this.#nodes.has(node.uid) || !this.#hasRoom(`node/${node.name}`)) continue;
      this.#nodes.set(node.uid, node);
      this.#emit({ type: 'node-added', ...node });
    }
  }

  #gone(uid: string, { label }: Held): void {
    this.#pods.delete(uid);
    this.#full = false;
    this.#emit({ type: 'gone', uid, label });
  }

  #hasRoom(label: string): boolean {
    if (this.#pods.size + this.#nodes.size < this.#maximum) return true;
    if (!this.#full) {
      const message = `${label} is not captured: ${this.#maximum} targets are, and --max-targets allows no more`;
      this.#emit({ type: 'note', message });
    }
    this.#full = true;
    return false;
  }
}

/** Equal where the containers are the same. Of many containers it is no longer than of a few. */
function containersOf(pod: PodView): string {
  const ids = pod.containers.map(({ id }) => id).join();
  return ids.length <= IDS_KEPT ? ids : createHash('sha256').update(ids).digest('base64');
}
