import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientKey } from '../../ticket/seal.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { AGENT_PORT, type Compression } from '../../wire/session-frame.ts';
import type { SealedTicket } from '../../wire/ticket.ts';
import { resumingTransport } from '../agents/resuming-transport.ts';
import type { Kube } from '../kube/kube.ts';
import { openPortForward } from '../kube/port-forward.ts';
import { SESSION_HANDSHAKE_MS, TICKET_WAIT_MS, TICKETS_TRIED } from '../limits.ts';
import type { AgentTransport, OpenTransport } from '../streams/transport.ts';

/** How sessions are opened. */
export interface TicketSessionOptions {
  readonly kube: Kube;
  readonly key: ClientKey;
  readonly resumeWindowMs: number;
  readonly compress: Compression;
}

/** The tickets of a Capture as they come, and the sessions with agents that use them. */
export class TicketStore {
  readonly #options: TicketSessionOptions;
  #tickets: readonly SealedTicket[] = [];
  /** Of the present tickets, those that an agent has had: it takes each once. */
  readonly #used = new Set<string>();
  /** The session with the agent of a node. */
  readonly #sessions = new Map<string, AgentTransport>();
  #changed = Promise.withResolvers<void>();

  constructor(options: TicketSessionOptions) {
    this.#options = options;
  }

  /** Take the tickets that are valid now, and hand the new ones to the sessions that are open. */
  update(tickets: readonly SealedTicket[]): void {
    this.#tickets = tickets;
    const present = new Set(tickets.map(({ sealed }) => sealed));
    for (const sealed of this.#used) if (!present.has(sealed)) this.#used.delete(sealed);
    for (const [node, session] of this.#sessions) this.#handIn(node, session);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Opens sessions with the agent of a node, each with a ticket that was not used. */
  on(node: string): OpenTransport {
    return async (handlers, signal) => {
      const { kube, resumeWindowMs, compress } = this.#options;
      for (let tries = 1; ; tries += 1) {
        const { agent, sealed } = await this.#unused(node, signal);
        this.#used.add(sealed);
        const open = resumingTransport({
          name: 'port-forward',
          dial: (until) =>
            openPortForward(kube, { namespace: agent.namespace, pod: agent.name, port: AGENT_PORT }, until),
          windowMs: resumeWindowMs,
          compress,
          ticket: this.#opened(sealed),
          handshakeMs: SESSION_HANDSHAKE_MS,
        });
        try {
          // The agent needs further tickets before a request for their pods.
          const session = await open({ ...handlers, opening: undefined }, signal);
          this.#sessions.set(node, session);
          void session.ended.then(() => {
            if (this.#sessions.get(node) === session) this.#sessions.delete(node);
          });
          this.#handIn(node, session);
          return session;
        } catch (thrown) {
          // One that expired on its way, or an agent that started again since: the next ticket may be taken.
          const mayTry = thrown instanceof KsnoopError && thrown.code === 'TICKET_REFUSED' && tries < TICKETS_TRIED;
          if (!mayTry) throw thrown;
          handlers.note?.(thrown.message);
        }
      }
    };
  }

  #handIn(node: string, session: AgentTransport): void {
    for (const { sealed } of this.#unusedOf(node)) {
      this.#used.add(sealed);
      session.write(`${JSON.stringify({ type: 'ticket', ticket: this.#opened(sealed) })}\n`);
    }
  }

  async #unused(node: string, signal: AbortSignal): Promise<SealedTicket> {
    const deadline = performance.now() + TICKET_WAIT_MS;
    for (;;) {
      signal.throwIfAborted();
      const [ticket] = this.#unusedOf(node);
      if (ticket !== undefined) return ticket;
      const left = deadline - performance.now();
      if (left <= 0) {
        throw new KsnoopError('TICKET_EXPIRED', `The controller gives no new ticket for the agent on node ${node}.`, {
          hint: 'See the conditions of the capture: kubectl describe capture; and the controller: ksnoop status',
        });
      }
      const waited = new AbortController();
      const timer = sleep(left, undefined, { signal: AbortSignal.any([signal, waited.signal]) }).catch(() => {});
      await Promise.race([this.#changed.promise, timer]);
      waited.abort();
    }
  }

  #unusedOf(node: string): SealedTicket[] {
    return this.#tickets.filter((ticket) => ticket.node === node && !this.#used.has(ticket.sealed));
  }

  /** @throws KsnoopError INVALID_MESSAGE for what was sealed for another key */
  #opened(sealed: string): string {
    return this.#options.key.open(Buffer.from(sealed, 'base64')).toString('base64url');
  }
}
