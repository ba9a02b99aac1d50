import type { KsnoopError } from '../../wire/errors.ts';
import type { FoundNode } from '../kinds/kind.ts';
import type { PodView } from '../kube/pod.ts';

/** A pod that is a target, and the objects that lead to it: `['deployment/web', 'replicaset/web-5d4']`, outermost first. */
export interface FoundPod {
  readonly pod: PodView;
  /** Empty when the pod itself was named. */
  readonly via: readonly string[];
}

/** A change to the set of targets while a capture runs. */
export type TargetEvent =
  /**
   * A pod to capture: it has a sandbox, or it is Pending with a node assigned, so that the agent can wait for its
   * network namespace and capture its first packets. Emitted once per UID; again with the same UID when the IDs of its
   * containers became known or changed.
   */
  | ({ readonly type: 'added' } & FoundPod)
  /** A node that joined the cluster and matches the targets. */
  | ({ readonly type: 'node-added' } & FoundNode)
  /** Deleted, no longer selected, or finished: pods and nodes alike. `label` is `namespace/pod` or `node/NAME`. */
  | { readonly type: 'gone'; readonly uid: string; readonly label: string }
  /** Asked for and found, but it cannot be captured. */
  | { readonly type: 'refused'; readonly label: string; readonly error: KsnoopError }
  /** A message for the user: a watch was interrupted, works again, a limit was reached. */
  | { readonly type: 'note'; readonly message: string };

/** What the target references resolve to in the cluster: now, and later. */
export interface FollowedTargets {
  /**
   * Whether pods or nodes may join later. False when pods alone were named, each by its own name, and nothing makes
   * another one of that name (no StatefulSet does): then the capture ends with the last of them.
   */
  readonly growing: boolean;
  /** What was found first. Its pods are as in `added` events. */
  readonly initial: { readonly pods: readonly FoundPod[]; readonly nodes: readonly FoundNode[] };
  /**
   * Emit every change to `initial` from the moment it was taken, across API server restarts and resource versions that
   * are too old (then by listing again and emitting the difference).
   * @param emit called one event at a time; it must only enqueue
   * @returns when the signal aborts; never rejects, and never returns before it
   */
  follow(emit: (event: TargetEvent) => void, signal: AbortSignal): Promise<void>;
}
