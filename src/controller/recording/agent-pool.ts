import type { Kube } from '../../capture/kube/kube.ts';
import type { PodView } from '../../capture/kube/pod.ts';
import { type AgentRecordings, recordingsOf } from '../../capture/tenant/agent-recordings.ts';
import { Gate } from '../../wire/gate.ts';

import { REQUESTS_OF_AGENT } from './limits.ts';

interface Pooled {
  readonly recordings: AgentRecordings;
  /** Of its own: an agent that does not answer keeps no request from the others. */
  readonly gate: Gate;
}

/** The connections to the agents, which all recordings share. */
export class AgentPool {
  readonly #open: (agent: PodView) => AgentRecordings;
  /** By UID of the agent's pod. */
  readonly #agents = new Map<string, Pooled>();

  constructor(open: (agent: PodView) => AgentRecordings) {
    this.#open = open;
  }

  /** Ask an agent for something when its turn comes. */
  async ask<T>(agent: PodView, request: (recordings: AgentRecordings) => Promise<T>): Promise<T> {
    const known = this.#agents.get(agent.uid) ?? { recordings: this.#open(agent), gate: new Gate(REQUESTS_OF_AGENT) };
    this.#agents.set(agent.uid, known);
    return known.gate.run(() => request(known.recordings));
  }

  /** Forget the agents that are gone. */
  keep(exists: (uid: string) => boolean): void {
    for (const [uid, { recordings }] of this.#agents) {
      if (exists(uid)) continue;
      recordings.close();
      this.#agents.delete(uid);
    }
  }

  close(): void {
    this.keep(() => false);
  }
}

/** Agents reached by port-forward. */
export function forwardedAgents(kube: Kube): AgentPool {
  return new AgentPool((agent) => recordingsOf(kube, agent));
}
