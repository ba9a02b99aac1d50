import type { OpenTransport } from '../transport.ts';
import { AGENT_CONTAINER, AGENT_NAMESPACE, type Agents, findAgents } from './agents.ts';
import { openExec } from './exec.ts';
import type { Kube } from './kube.ts';

/** The agents of a cluster, asked for once by all nodes, and anew by every later attempt, for agents are replaced. */
export interface AgentsAsked {
  first(): Promise<Agents>;
  again(): Promise<Agents>;
}

export function askAgents(kube: Kube, signal: AbortSignal): AgentsAsked {
  let first: Promise<Agents> | undefined;
  return {
    first: () => {
      first ??= findAgents(kube, undefined, signal);
      return first;
    },
    again: () => findAgents(kube, undefined, signal),
  };
}

/** Reaches the agent of a node, whichever pod that is by then. */
export function openAgent(kube: Kube, node: string, agents: AgentsAsked): OpenTransport {
  let attempts = 0;
  return async (handlers, signal) => {
    attempts += 1;
    const agent = await (await (attempts === 1 ? agents.first() : agents.again())).on(node, signal);
    return openByExec(kube, agent.name)(handlers, signal);
  };
}

/** An agent process started by exec: its three streams are the conversation. */
function openByExec(kube: Kube, pod: string): OpenTransport {
  return async (handlers, signal) => {
    const stream = await openExec(
      kube,
      {
        namespace: AGENT_NAMESPACE,
        pod,
        container: AGENT_CONTAINER,
        command: ['ksnoop-agent', 'capture'],
        stdin: true,
        onStdout: (bytes) => handlers.stdout(bytes),
        onStderr: (bytes) => handlers.stderr(bytes),
      },
      signal,
    );
    return {
      write: (text) => void stream.write(text),
      pause: () => stream.pause(),
      resume: () => stream.resume(),
      ended: stream.ended,
      terminate: () => stream.terminate(),
    };
  };
}
