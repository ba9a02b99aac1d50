import { setTimeout as sleep } from 'node:timers/promises';
import type { ClaimDestination } from '../../capture/install/claim-destination.ts';
import type { PodView } from '../../capture/kube/pod.ts';
import { messageOf } from '../../wire/errors.ts';
import type { AgentPool } from './agent-pool.ts';
import { CLAIM_READERS, DELETED_REMEMBERED, SWEEP_MS, SWEEP_SETTLE_MS } from './limits.ts';
import type { RecordTickets } from './record-tickets.ts';

export interface SweepParts {
  readonly pool: AgentPool;
  readonly tickets: RecordTickets;
  /** The agents that are there. */
  readonly agents: () => readonly PodView[];
  /** Whether there is a Capture with this UID. */
  readonly exists: (capture: string) => boolean;
  /** An agent records a Capture that exists. */
  readonly found: (capture: string, agent: string) => void;
  /** The ready agents that have the claim of a destination mounted. */
  readonly mounting: (destination: ClaimDestination) => readonly PodView[];
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Asks all agents what they record, from time to time: it finds what another controller has started, and removes what belongs to a
 * Capture that is gone. Captures have no finalizers, so the deletion of a namespace waits for nothing.
 */
export class Sweep {
  readonly #parts: SweepParts;
  /** Recordings without a Capture at the last look: a Capture may be so new that the watch has not brought it. */
  #orphans: ReadonlySet<string> = new Set();
  /** Captures that were seen to be deleted, with the claim that may have files of them: agents that know nothing of these can remove them. */
  readonly #deleted = new Map<string, ClaimDestination | undefined>();
  /** Agents that did not answer, by UID. */
  readonly #silent = new Set<string>();
  #wake = Promise.withResolvers<void>();

  constructor(parts: SweepParts) {
    this.#parts = parts;
    parts.signal.addEventListener('abort', () => this.#wake.resolve(), { once: true });
  }

  /** Begin. All Captures must be known by now: what has none is removed. */
  start(): void {
    void this.#run();
  }

  /** A Capture was deleted: what was recorded of it is removed at once. @param claim where its files went; undefined: not to a claim */
  deleted(capture: string, claim?: ClaimDestination): void {
    // Those beyond are removed at the second look.
    if (this.#deleted.size < DELETED_REMEMBERED) this.#deleted.set(capture, claim);
    this.#wake.resolve();
  }

  async #run(): Promise<void> {
    const { signal } = this.#parts;
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers();
      const gone = new Map(this.#deleted);
      const orphans = new Set<string>();
      const isWhole = await Promise.all(this.#parts.agents().map((agent) => this.#look(agent, orphans)));
      this.#orphans = orphans;
      const isEmpty = await Promise.all([...gone].map(([capture, claim]) => this.#clear(capture, claim)));
      if (isWhole.every((whole) => whole)) {
        for (const [index, capture] of [...gone.keys()].entries()) if (isEmpty[index]) this.#deleted.delete(capture);
      }
      const timer = setTimeout(() => this.#wake.resolve(), SWEEP_MS);
      if (!signal.aborted) await this.#wake.promise;
      clearTimeout(timer);
      // Of a namespace, many are deleted at once.
      await sleep(SWEEP_SETTLE_MS, undefined, { signal }).catch(() => {});
    }
  }

  /** Remove from a claim what agents of before have left there. @returns whether an agent has removed it, or there is nothing */
  async #clear(capture: string, claim: ClaimDestination | undefined): Promise<boolean> {
    if (claim === undefined) return true;
    const { pool, tickets, signal, mounting, log } = this.#parts;
    for (const agent of mounting(claim).slice(0, CLAIM_READERS)) {
      try {
        await pool.ask(agent, (asked) =>
          asked.remove({ capture, ticket: () => tickets.remove(capture, agent), signal }),
        );
        return true;
      } catch (thrown) {
        if (!signal.aborted) log(`files on the claim ${claim.claim} are not removed: ${messageOf(thrown)}`);
      }
    }
    return false;
  }

  /** @returns whether the agent answered */
  async #look(agent: PodView, orphans: Set<string>): Promise<boolean> {
    const { pool, tickets, signal, exists, found, log } = this.#parts;
    try {
      const recordings = await pool.ask(agent, (asked) => asked.list(() => tickets.list(agent), signal));
      for (const { capture, namespace, name } of recordings) {
        if (exists(capture)) {
          found(capture, agent.uid);
          continue;
        }
        orphans.add(capture);
        if (!this.#orphans.has(capture) && !this.#deleted.has(capture)) continue;
        await pool.ask(agent, (asked) =>
          asked.remove({ capture, ticket: () => tickets.remove(capture, agent), signal }),
        );
        log(`removed the recording of Capture ${namespace}/${name}, which is gone, from node ${agent.nodeName}`);
      }
      this.#silent.delete(agent.uid);
      return true;
    } catch (thrown) {
      const isNew = !this.#silent.has(agent.uid) && !signal.aborted;
      if (isNew) log(`the agent on node ${agent.nodeName} cannot list its recordings: ${messageOf(thrown)}`);
      this.#silent.add(agent.uid);
      return false;
    }
  }
}
