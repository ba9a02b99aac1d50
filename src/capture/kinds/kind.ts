import type { Kube } from '../kube/kube.ts';
import type { PodView } from '../kube/pod.ts';

/** A kind of object that can be named as a target: how it is called, and how one becomes pods. */
export interface TargetKind {
  /** Its singular, as error messages say it. */
  readonly name: string;
  /** Everything kubectl takes for it besides: plural and short names. */
  readonly aliases: readonly string[];
  /**
   * The pods behind one object of this kind.
   * @throws KsnoopError NO_SUCH_TARGET (exit 3) with near names, and whatever the API server refuses
   */
  pods(kube: Kube, namespace: string, name: string, signal?: AbortSignal): Promise<readonly PodView[]>;
}
