import { setTimeout as sleep } from 'node:timers/promises';
import type { PodView } from '../capture/kube/pod.ts';
import type { CapturedCount } from '../wire/captured-count.ts';
import { type Amounts, announceEnd } from './announcements.ts';
import type { CaptureView } from './capture-object.ts';
import type { Events } from './events.ts';
import { COUNTS_AGAIN_MS, COUNTS_SHARED_MS, COUNTS_WAIT_MS, ENDS_WAITING } from './limits.ts';
import type { AgentPool } from './recording/agent-pool.ts';
import type { RecordTickets } from './recording/record-tickets.ts';

export interface LiveEndsParts {
  readonly pool: AgentPool;
  readonly tickets: RecordTickets;
  readonly events: Events;
  readonly agentOn: (node: string) => PodView | undefined;
  readonly signal: AbortSignal;
}

/** A live Capture that has ended, and the sentence of its events. */
export interface LiveEnd {
  readonly capture: CaptureView;
  readonly message: string;
  /** Pods that had events of its start. */
  readonly pods: readonly PodView[];
}

interface Answer {
  readonly at: number;
  readonly counts: Promise<readonly CapturedCount[] | undefined>;
}

/**
 * Writes the events of the end of live Captures. Their packets go from the agents to the client: how many they were, the agents know. They are
 * asked until the sessions have ended, which takes as long as a ticket is valid; events of an agent that does not answer have no amount.
 */
export class LiveEnds {
  readonly #parts: LiveEndsParts;
  /** What agents answered last, by UID: of hundreds of Captures that end together each would have asked for itself. */
  readonly #answers = new Map<string, Answer>();
  #waiting = 0;

  constructor(parts: LiveEndsParts) {
    this.#parts = parts;
  }

  /** Write the events of an end, soon. */
  add(end: LiveEnd): void {
    if (this.#waiting >= ENDS_WAITING) {
      announceEnd(this.#parts.events, end, NOTHING_KNOWN);
      return;
    }
    this.#waiting += 1;
    void this.#announce(end).finally(() => {
      this.#waiting -= 1;
    });
  }

  async #announce(end: LiveEnd): Promise<void> {
    const { signal, events } = this.#parts;
    const { uid } = end.capture;
    const nodes = [...new Set(end.pods.map(({ nodeName }) => nodeName))];
    const deadline = performance.now() + COUNTS_WAIT_MS;
    const found = new Map<string, CapturedCount | undefined>();
    for (;;) {
      await Promise.all(nodes.map(async (node) => found.set(node, await this.#countOn(node, uid))));
      const runs = [...found.values()].some((count) => count?.runs === true);
      if (!runs || signal.aborted || performance.now() > deadline) break;
      await sleep(COUNTS_AGAIN_MS, undefined, { signal }).catch(() => {});
    }
    if (!signal.aborted) announceEnd(events, end, amountsOf(found));
  }

  async #countOn(node: string, capture: string): Promise<CapturedCount | undefined> {
    const agent = this.#parts.agentOn(node);
    const counts = agent && (await this.#ask(agent));
    return counts?.find((count) => count.capture === capture);
  }

  #ask(agent: PodView): Answer['counts'] {
    const { pool, tickets, signal } = this.#parts;
    const known = this.#answers.get(agent.uid);
    const at = performance.now();
    if (known !== undefined && at < known.at + COUNTS_SHARED_MS) return known.counts;
    for (const [uid, answer] of this.#answers) if (at > answer.at + COUNTS_SHARED_MS) this.#answers.delete(uid);
    const counts = pool.ask(agent, (asked) => asked.captured(() => tickets.list(agent), signal)).catch(() => undefined);
    this.#answers.set(agent.uid, { at, counts });
    return counts;
  }
}

const NOTHING_KNOWN: Amounts = { all: undefined, on: () => undefined };

/** The sum is known where each node's is. */
function amountsOf(found: ReadonlyMap<string, CapturedCount | undefined>): Amounts {
  const counts = [...found.values()].filter((count) => count !== undefined);
  const sum = (key: 'packets' | 'bytes') => counts.reduce((total, count) => total + count[key], 0);
  const isWhole = counts.length === found.size && found.size > 0;
  const all = isWhole ? { packets: sum('packets'), bytes: sum('bytes') } : undefined;
  return { all, on: (node) => found.get(node) };
}
