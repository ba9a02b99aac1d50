import { followFile } from '../../capture/kube/follow-file.ts';
import type { Kube } from '../../capture/kube/kube.ts';
import type { FollowChanges } from '../../capture/streams/target-change.ts';
import type { AgentTarget } from '../../wire/agent-target.ts';
import { KeyLogPieces } from '../keys/key-log-pieces.ts';
import type { PodKeys } from '../outputs/output.ts';

/** The key log in each captured pod, fetched with the user's own pods/exec while the pod is a target. */
export class PodKeyLogs {
  readonly #kubeOf: (cluster: string) => Kube | undefined;
  readonly #podKeys: PodKeys;
  readonly #note: (sentence: string) => void;
  readonly #following = new Map<string, { readonly stop: AbortController; readonly ended: Promise<void> }>();

  /**
   * @param kubeOf the API server of a cluster, named as in NodeRef
   * @param note takes messages for the user
   */
  constructor(kubeOf: (cluster: string) => Kube | undefined, podKeys: PodKeys, note: (sentence: string) => void) {
    this.#kubeOf = kubeOf;
    this.#podKeys = podKeys;
    this.#note = note;
  }

  /** Fetch the keys of a target of a cluster; of nodes there are none. */
  add(cluster: string, target: AgentTarget): void {
    const kube = this.#kubeOf(cluster);
    if (target.kind !== 'pod' || kube === undefined || this.#following.has(target.key)) return;
    const { file, keys } = this.#podKeys;
    const stop = new AbortController();
    const follower = {
      begin: () => {
        const logs = keys.map((log) => new KeyLogPieces(log));
        return (bytes: Uint8Array) => {
          const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
          for (const log of logs) log.push(piece);
        };
      },
      note: (sentence: string) => this.#note(`TLS keys: ${sentence}`),
    };
    const { namespace, pod } = target;
    const ended = followFile(kube, { namespace, pod, ...file }, follower, stop.signal);
    this.#following.set(target.key, { stop, ended });
  }

  /** Takes the targets that join and leave, on their way to the capture. */
  with(follow: FollowChanges): FollowChanges {
    return (emit, signal, started) => {
      const seen: typeof emit = (change) => {
        if (change.type === 'added') this.add(change.node.cluster, change.target);
        if (change.type === 'gone') this.#remove(change.key);
        emit(change);
      };
      return follow(seen, signal, started);
    };
  }

  /** Ends what runs in the pods. */
  async close(): Promise<void> {
    const all = [...this.#following.values()];
    for (const { stop } of all) stop.abort();
    await Promise.all(all.map(({ ended }) => ended));
  }

  #remove(key: string): void {
    this.#following.get(key)?.stop.abort();
    this.#following.delete(key);
  }
}
