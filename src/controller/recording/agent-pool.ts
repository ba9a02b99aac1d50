import { Gate } from '../../capture/kube/gate.ts';
import type { Kube } from '../../capture/kube/kube.ts';
import type { PodView } from '../../capture/kube/pod.ts';
import { type AgentRecordings, recordingsOf } from '../../capture/tenant/agent-recordings.ts';

import { REQUESTS } from './limits.ts';

/** The connections to the agents, which all recordings share. */
export class AgentPool {
  readonly #open: (agent: PodView) => AgentRecordings;
  readonly #gate = new Gate(REQUESTS);
  /** By UID of the agent's pod. */
  readonly #agents = new Map<string, AgentRecordings>();

  constructor(open: (agent: PodView) => AgentRecordings) {
    this.#open = open;
  }

  /** Ask an agent for something when its turn comes. */
  ask<T>(agent: PodView, request: (recordings: AgentRecordings) => Promise<T>): Promise<T> {
    return this.#gate.run(() => {
      const known = this.#agents.get(agent.uid) ?? this.#open(agent);
      this.#agents.set(agent.uid, known);
      return request(known);
    });
  }

  /** Forget the agents that are gone. */
  keep(exists: (uid: string) => boolean): void {
    for (const [uid, recordings] of this.#agents) {
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
