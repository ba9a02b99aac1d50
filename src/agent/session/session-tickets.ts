import type { CaptureRequest } from '../../wire/agent-protocol.ts';
import type { AgentTarget } from '../../wire/agent-target.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { TARGETS_PER_AGENT } from '../../wire/limits.ts';
import { TICKET_REFUSALS, type Ticket, type TicketRefusal } from '../../wire/ticket.ts';
import { NODE_NAME } from '../netns/node.ts';

/** A ticket that was verified. */
export interface AcceptedTicket {
  readonly ticket: Ticket;
  /** How long it is valid from now on, milliseconds. */
  readonly validMs: number;
}

export interface TicketHandlers {
  /** The tickets that name a target's pod have expired. */
  expired(key: string): void;
  /** No ticket is valid any more. */
  over(): void;
}

interface Allowed {
  /** As performance.now() has it. */
  until: number;
  readonly hostNetwork: boolean;
}

/** What the tickets of one session allow, and until when. All are of one Capture, user, filter and snaplen. */
export class SessionTickets {
  readonly #first: Ticket;
  readonly #take: (text: string) => AcceptedTicket | TicketRefusal;
  /** By the pod's UID. */
  readonly #allowed = new Map<string, Allowed>();
  /** UIDs of the pods that are captured or waited for, by the key of the target. */
  readonly #targets = new Map<string, string>();
  #handlers: TicketHandlers | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param take verifies another ticket and uses it */
  constructor(first: AcceptedTicket, take: (text: string) => AcceptedTicket | TicketRefusal) {
    this.#first = first.ticket;
    this.#take = take;
    this.#add(first);
  }

  /** The user, for the log. */
  get user(): string {
    return this.#first.sub;
  }

  /** UID of the Capture, for the log. */
  get capture(): string {
    return this.#first.capture;
  }

  /** Report from now on what expires. */
  watch(handlers: TicketHandlers): void {
    this.#handlers = handlers;
    this.#schedule();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#handlers = undefined;
  }

  /**
   * The request as it may be carried out.
   * @throws KsnoopError TICKET_REFUSED when it asks for more than the tickets allow
   */
  request(request: CaptureRequest): CaptureRequest {
    const { filter, snaplen } = this.#first;
    if ((request.filter ?? '') !== filter) throw refused('the filter is not that of the ticket');
    if (request.snaplen !== snaplen) throw refused(`the snaplen is not that of the ticket, ${snaplen}`);
    return { ...request, targets: request.targets.map((target) => this.target(target)) };
  }

  /**
   * A target as it may be captured: found by its UID alone, for the IDs of containers are the client's own words.
   * @throws KsnoopError TICKET_REFUSED for what is not in a valid ticket
   */
  target(target: AgentTarget): AgentTarget {
    if (target.kind !== 'pod') throw refused(`a ticket allows pods, and not a ${target.kind}`);
    const allowed = this.#allowed.get(target.uid);
    if (allowed === undefined || allowed.until <= performance.now()) {
      throw refused(`no valid ticket names the pod ${target.namespace}/${target.pod} with the UID ${target.uid}`);
    }
    if (target.hostNetwork !== allowed.hostNetwork) {
      throw refused(`the ticket of pod ${target.namespace}/${target.pod} has another value of hostNetwork`);
    }
    // A filter of the target's own is joined as text: it could end the parenthesis that the ticket's filter stands in.
    if (target.filter !== undefined) throw refused('a target of a ticket has no filter of its own');
    const known = this.#targets.get(target.key);
    if (known !== undefined && known !== target.uid) throw refused(`the key ${target.key} is of another pod`);
    if (known === undefined && this.#targets.size >= TARGETS_PER_AGENT) {
      throw refused(`the session has ${this.#targets.size} targets already`);
    }
    this.#targets.set(target.key, target.uid);
    return { ...target, containers: [] };
  }

  /** A target is no longer wanted. */
  remove(key: string): void {
    this.#targets.delete(key);
  }

  /**
   * One more ticket: its pods may be captured until it expires.
   * @throws KsnoopError TICKET_REFUSED
   */
  renew(text: string): void {
    const accepted = this.#take(text);
    if (typeof accepted === 'string') throw refused(TICKET_REFUSALS[accepted]);
    const { capture, sub, filter, snaplen } = accepted.ticket;
    const first = this.#first;
    const isSame =
      capture === first.capture && sub === first.sub && filter === first.filter && snaplen === first.snaplen;
    if (!isSame) throw refused(TICKET_REFUSALS['other-capture']);
    this.#add(accepted);
    this.#schedule();
  }

  #add({ ticket, validMs }: AcceptedTicket): void {
    const until = performance.now() + validMs;
    for (const uid of ticket.pods) {
      const known = this.#allowed.get(uid);
      if (known === undefined && this.#allowed.size >= TARGETS_PER_AGENT) continue;
      if (known?.hostNetwork === ticket.hostNetwork) known.until = Math.max(known.until, until);
      else if (known === undefined) this.#allowed.set(uid, { until, hostNetwork: ticket.hostNetwork });
    }
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#handlers === undefined) return;
    const next = Math.min(...[...this.#allowed.values()].map(({ until }) => until));
    this.#timer = setTimeout(() => this.#expire(), Math.max(0, Math.ceil(next - performance.now())));
  }

  #expire(): void {
    const now = performance.now();
    for (const [uid, { until }] of this.#allowed) if (until <= now) this.#allowed.delete(uid);
    if (this.#allowed.size === 0) {
      this.#handlers?.over();
      return;
    }
    for (const [key, uid] of this.#targets) {
      if (this.#allowed.has(uid)) continue;
      this.#targets.delete(key);
      this.#handlers?.expired(key);
    }
    this.#schedule();
  }
}

function refused(why: string): KsnoopError {
  return new KsnoopError('TICKET_REFUSED', `The agent on ${NODE_NAME} refuses what the ticket does not allow: ${why}.`);
}
