import { setTimeout as sleep } from 'node:timers/promises';
import { NOT_ALONE_MS } from '../limits.ts';

/**
 * Whether one node alone is part of a capture. What its agent adds up then has no identities any more, so nodes that join wait until it no
 * longer does that.
 */
export class LoneNode {
  /** Nodes that were part of it at any time, as nodeKey has them. */
  readonly #nodes: Set<string>;
  readonly #waitMs: number;
  #told: Promise<unknown> | undefined;

  /** @param first nodes that it begins with @param waitMs how long others wait for an answer at most */
  constructor(first: readonly string[], waitMs = NOT_ALONE_MS) {
    this.#nodes = new Set(first);
    this.#waitMs = waitMs;
  }

  /** No other node was part of the capture until now. */
  get isAlone(): boolean {
    return this.#nodes.size <= 1;
  }

  /**
   * @param tell tells the agents of the capture that another node joins; they have answered when what it returns resolves
   * @returns what a stream to the node has to wait for, for a time at most; undefined where that is nothing
   */
  join(node: string, tell: () => readonly Promise<void>[]): Promise<unknown> | undefined {
    const isSecond = this.#nodes.size === 1 && !this.#nodes.has(node);
    this.#nodes.add(node);
    const told = isSecond ? tell() : [];
    if (told.length > 0) this.#told = Promise.race([Promise.all(told), sleep(this.#waitMs, undefined, { ref: false })]);
    return this.#told;
  }
}
