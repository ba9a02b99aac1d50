import { type ErrorCode, KsnoopError } from '../../wire/errors.ts';
import { AGENT_CONTAINER } from '../agent-objects.ts';
import type { AgentlessPreference } from '../agentless/preference.ts';
import type { Kube } from '../kube/kube.ts';
import { memoryKill, type PodView } from '../kube/pod.ts';
import type { AgentTransport, OpenTransport, TransportHandlers } from '../streams/transport.ts';
import { AGENTLESS_HINT, type Agents, findAgents } from './agents.ts';
import type { AgentEndpoint } from './exec-connection.ts';
import type { TransportPreference } from './transport-preference.ts';

/** Failures that exec would have as well. Any other may be port-forward's own, and `auto` takes exec. */
const REFUSED_ANYWAY = new Set<ErrorCode>([
  'UNREACHABLE',
  'UNAUTHORIZED',
  'TIMEOUT',
  'NOT_FOUND',
  'TOO_MANY_SESSIONS',
  'NO_MEMORY',
]);

/** Failures that every node's agent would have. */
const EXEC_FOR_ALL = new Set<ErrorCode>(['FORBIDDEN', 'TICKET_REQUIRED']);

/** Failures of a relay that a process of its own may not have. */
const NO_RELAY = new Set<ErrorCode>(['EXEC_FAILED', 'NO_AGENT_AT_PORT']);

/** Loaded once the first requests are on their way: with its websockets it takes as long as they do. */
function transports() {
  return import('./transports.ts');
}

/** The agents of a cluster: listed once for all nodes, and again for every later attempt, because agents are replaced. */
export class AgentAccess {
  readonly #kube: Kube;
  readonly #preference: TransportPreference;
  readonly #signal: AbortSignal;
  readonly #first: Promise<Agents> | undefined;
  /** Restarts of the agents' containers when they were last reached, by pod. */
  readonly #restarts = new Map<string, number>();
  /** Port-forward is not wanted, or not allowed: what one node's attempt showed holds for all. */
  #execOnly: boolean;
  /** Where agents are reached by exec. */
  #endpoint: AgentEndpoint = 'port';

  constructor(kube: Kube, preference: TransportPreference, signal: AbortSignal) {
    this.#kube = kube;
    this.#preference = preference;
    this.#signal = signal;
    this.#execOnly = preference.transport === 'exec';
    this.#first = preference.agentless === undefined ? this.#list() : undefined;
    this.#first?.catch(() => {});
  }

  /** Whether the user may not list the agents; false where none are needed. */
  async isDenied(): Promise<boolean> {
    try {
      await this.#first;
      return false;
    } catch (thrown) {
      return thrown instanceof KsnoopError && thrown.code === 'FORBIDDEN';
    }
  }

  /** Reaches the agent of a node, whichever pod that is by then; without agents, what stands in for it. */
  on(node: string): OpenTransport {
    const { agentless: without } = this.#preference;
    if (without !== undefined) return this.#without(node, without);
    let attempts = 0;
    return async (handlers, signal) => {
      attempts += 1;
      const agents = (attempts === 1 ? this.#first : undefined) ?? this.#list();
      return this.#open(node, agents, handlers, signal);
    };
  }

  #without(node: string, without: AgentlessPreference): OpenTransport {
    return async (handlers, signal) => {
      const { agentless, openOnce } = await transports();
      const open =
        without.mode === 'node'
          ? openOnce(this.#kube, node, { ...this.#preference, image: without.agentImage })
          : agentless(this.#kube, without);
      return open(handlers, signal);
    };
  }

  async #open(
    node: string,
    agents: Promise<Agents>,
    handlers: TransportHandlers,
    signal: AbortSignal,
  ): Promise<AgentTransport> {
    const pod = await (await agents).on(node, signal);
    const killed = this.#newKill(pod);
    if (killed !== undefined) handlers.explainLoss?.(killed);
    const { name } = pod;
    if (this.#execOnly) return this.#openByExec(name, handlers, signal);
    const { openByPortForward } = await transports();
    try {
      return await openByPortForward(this.#kube, name, this.#preference)(handlers, signal);
    } catch (thrown) {
      if (this.#preference.transport !== 'auto' || !(thrown instanceof KsnoopError)) throw thrown;
      if (REFUSED_ANYWAY.has(thrown.code)) throw thrown;
      if (EXEC_FOR_ALL.has(thrown.code)) this.#execOnly = true;
      if (needsTicket(thrown)) this.#endpoint = 'socket';
      handlers.note?.(`exec instead of port-forward: ${thrown.message}`);
      return this.#openByExec(name, handlers, signal);
    }
  }

  /** A session of the waiting agent, relayed by exec; where that cannot be, of a process of its own. */
  async #openByExec(pod: string, handlers: TransportHandlers, signal: AbortSignal): Promise<AgentTransport> {
    try {
      return await this.#openByRelay(pod, handlers, signal);
    } catch (thrown) {
      // An agent of an earlier version has no relay, one in the node's own network does not listen.
      if (!(thrown instanceof KsnoopError) || !NO_RELAY.has(thrown.code) || signal.aborted) throw thrown;
      const { openByExec } = await transports();
      return openByExec(this.#kube, pod)(handlers, signal);
    }
  }

  async #openByRelay(pod: string, handlers: TransportHandlers, signal: AbortSignal): Promise<AgentTransport> {
    const { openByRelay } = await transports();
    const open = (at: AgentEndpoint) => openByRelay(this.#kube, pod, at, this.#preference)(handlers, signal);
    const endpoint = this.#endpoint;
    try {
      return await open(endpoint);
    } catch (thrown) {
      if (!needsTicket(thrown) || endpoint === 'socket') throw thrown;
      this.#endpoint = 'socket';
      return open('socket');
    }
  }

  /** That the agent's container was killed for lack of memory since its pod was first seen, a sentence. */
  #newKill({ name, containers, nodeName }: PodView): string | undefined {
    const container = containers.find((one) => one.name === AGENT_CONTAINER);
    if (container === undefined) return undefined;
    const before = this.#restarts.get(name) ?? container.restarts;
    this.#restarts.set(name, container.restarts);
    const killed = container.restarts > before ? memoryKill(container) : undefined;
    return killed && `The agent's container on node ${nodeName} was ${killed}.`;
  }

  #list(): Promise<Agents> {
    return findAgents(this.#kube, undefined, this.#signal).catch((thrown: unknown) => {
      if (!(thrown instanceof KsnoopError) || thrown.code !== 'FORBIDDEN') throw thrown;
      const { code, message, hint, exit } = thrown;
      throw new KsnoopError(code, message, { hint: `${hint} ${AGENTLESS_HINT}`, exit, cause: thrown });
    });
  }
}

function needsTicket(thrown: unknown): boolean {
  return thrown instanceof KsnoopError && thrown.code === 'TICKET_REQUIRED';
}
