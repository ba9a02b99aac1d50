import { KsnoopError } from '../../wire/errors.ts';
import type { RecordingOrder, RecordingPath } from '../../wire/recording.ts';
import type { RecordingTicket, RecordTicket } from '../../wire/recording-ticket.ts';
import { TICKET_REFUSALS, type TicketRefusal } from '../../wire/ticket.ts';
import type { TicketGate } from './ticket-gate.ts';

/** What is recorded for, where no ticket names a user: who may exec in the agent's container. */
const ADMINISTRATOR = 'administrator';

/** A request without a usable ticket. */
export class NoTicket extends Error {
  readonly refusal: TicketRefusal;

  constructor(refusal: TicketRefusal) {
    super(TICKET_REFUSALS[refusal]);
    this.refusal = refusal;
  }
}

/** What one connection may do with recordings: as its latest ticket says. */
export class RecordingAccess {
  readonly #gate: TicketGate | undefined;
  #ticket: RecordingTicket | undefined;
  /** As performance.now() has it. */
  #until = 0;

  /** @param gate verifies tickets; left out: none is needed, and everything is allowed */
  constructor(gate: TicketGate | undefined) {
    this.#gate = gate;
  }

  /** Whether a ticket bounds what may be done, and for how long. */
  get isBounded(): boolean {
    return this.#gate !== undefined;
  }

  /** Whether a ticket has been accepted, where one is needed. */
  get isAdmitted(): boolean {
    return this.#gate === undefined || this.#ticket !== undefined;
  }

  /**
   * Admit a request.
   * @param text the ticket in its head, if any
   * @throws NoTicket; KsnoopError TICKET_REFUSED where its ticket does not allow it
   */
  admit(method: string, path: RecordingPath, text: string | undefined): void {
    if (this.#gate === undefined) return;
    if (text !== undefined) {
      const accepted = this.#gate.takeRecording(text);
      if (typeof accepted === 'string') throw new NoTicket(accepted);
      this.#ticket = accepted.ticket;
      this.#until = performance.now() + accepted.validMs;
    }
    if (this.#ticket === undefined) throw new NoTicket('missing');
    if (this.#until <= performance.now()) throw new NoTicket('expired');
    if (!allows(this.#ticket, method, path)) throw refused(`a ticket of kind ${this.#ticket.kind} does not allow it`);
  }

  /**
   * Whose recording an order is, when the tickets allow all of it.
   * @throws KsnoopError TICKET_REFUSED
   */
  order(order: RecordingOrder): string {
    const gate = this.#gate;
    const first = this.#ticket;
    if (gate === undefined) return ADMINISTRATOR;
    if (first?.kind !== 'record') throw refused('it is not a ticket of kind record');
    const others = (order.tickets ?? []).map((text) => {
      const accepted = gate.takeRecording(text);
      if (typeof accepted === 'string') throw refused(TICKET_REFUSALS[accepted]);
      const { ticket } = accepted;
      if (ticket.kind !== 'record' || ticket.capture !== first.capture || ticket.sub !== first.sub) {
        throw refused('a further ticket is of another Capture, user or kind');
      }
      return ticket;
    });
    checkOrder(order, [first, ...others]);
    return first.sub;
  }
}

function allows(ticket: RecordingTicket, method: string, path: RecordingPath): boolean {
  if (path.kind === 'list') return ticket.kind !== 'fetch';
  if (ticket.kind === 'list' || ticket.capture !== path.capture) return false;
  if (path.kind === 'piece' || path.kind === 'stored') return ticket.kind === 'fetch';
  return ticket.kind === 'record' || (path.kind === 'recording' && method === 'GET');
}

function checkOrder(order: RecordingOrder, tickets: readonly RecordTicket[]): void {
  for (const { filter, snaplen, until } of tickets) {
    if (filter !== order.filter) throw refused('the filter is not that of the ticket');
    if (snaplen !== order.snaplen) throw refused('the snaplen is not that of the ticket');
    if (order.endsAt > until) throw refused('it ends later than the ticket allows');
  }
  for (const { uid, hostNetwork, namespace, name } of order.pods) {
    const isAllowed = tickets.some((ticket) => ticket.hostNetwork === hostNetwork && ticket.pods.includes(uid));
    if (!isAllowed) throw refused(`no ticket names the pod ${namespace}/${name} with the UID ${uid}`);
  }
}

function refused(why: string): KsnoopError {
  return new KsnoopError('TICKET_REFUSED', `The agent refuses what the ticket does not allow: ${why}.`);
}
