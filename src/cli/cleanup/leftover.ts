import type { Kube } from '../../capture/kube/kube.ts';

/** Something a capture or an agent left behind, though it should not have. */
export interface Leftover {
  readonly what: string;
  readonly why: string;
  /** @throws KsnoopError when it will not go */
  remove(): Promise<void>;
}

export interface Grounds {
  /** Undefined when no cluster can be asked. */
  readonly kube: Kube | undefined;
  readonly signal: AbortSignal;
}

/** A kind of leftover, and how it is found. */
export interface Finder {
  /** What is looked for, for people. */
  readonly looksFor: string;
  find(grounds: Grounds): Promise<readonly Leftover[]> | readonly Leftover[];
}
