import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPublicKeys, verifyRecordingTicket, verifyTicket } from '../../ticket/sign.ts';
import type { RecordingTicket } from '../../wire/recording-ticket.ts';
import type { Ticket, TicketRefusal } from '../../wire/ticket.ts';
import { PUBLIC_KEY_BYTES, TICKET_CLOCK_MS, USED_TICKETS } from '../limits.ts';
import { NODE_NAME } from '../netns/node.ts';
import type { AcceptedTicket } from '../session/session-tickets.ts';

/** A signed ticket in base64url, without padding (RFC 4648, section 5). */
const TEXT = /^[A-Za-z0-9_-]{1,16384}$/;

/** A ticket for recordings that was verified. */
export interface AcceptedRecordingTicket {
  readonly ticket: RecordingTicket;
  /** How long it is valid from now on, milliseconds. */
  readonly validMs: number;
}

export interface TicketGateOptions {
  /** The controller's public keys in PEM, as they are now. Throws when there are none. */
  readonly readKeys: () => string;
  /** UID of this agent's pod, and the node that it is on. */
  readonly agent: string;
  readonly node: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Milliseconds of a clock that nobody sets. */
  readonly elapsed?: () => number;
}

/**
 * Verifies tickets: each is for this agent and this node, signed by the controller, not expired, and used once. What a ticket allows
 * is checked by the session (session/session-tickets).
 */
export class TicketGate {
  readonly #options: TicketGateOptions;
  readonly #now: () => number;
  readonly #elapsed: () => number;
  readonly #startedAt: number;
  /** The controller's time is at least `iat` where `at` had elapsed: it has signed that. */
  #controller = { iat: 0, at: 0 };
  /** When the tickets that were used expire, by their `jti`, in the order in which they were used. */
  readonly #used = new Map<string, number>();

  constructor(options: TicketGateOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#elapsed = options.elapsed ?? (() => performance.now());
    this.#startedAt = this.#now();
  }

  /** Verify a ticket without using it. */
  check(text: string): AcceptedTicket | TicketRefusal {
    return this.#check(text, verifyTicket);
  }

  /** Verify a ticket for recordings and use it. */
  takeRecording(text: string): AcceptedRecordingTicket | TicketRefusal {
    const accepted = this.#check(text, verifyRecordingTicket);
    if (typeof accepted !== 'string') this.#used.set(accepted.ticket.jti, accepted.ticket.exp);
    return accepted;
  }

  #check<Kind extends Ticket | RecordingTicket>(
    text: string,
    verify: (signed: Uint8Array, keys: readonly KeyObject[]) => Kind,
  ): { readonly ticket: Kind; readonly validMs: number } | TicketRefusal {
    const ticket = this.#read(text, verify);
    if (typeof ticket === 'string') return ticket;
    const own = this.#now();
    if (ticket.agent !== this.#options.agent) return 'other-agent';
    if (ticket.node !== this.#options.node) return 'other-node';
    if (ticket.exp <= own) return 'expired';
    // What was used before this process started is not known: a ticket of that time could be used again.
    if (ticket.iat > own + TICKET_CLOCK_MS || ticket.iat < this.#startedAt) return 'early';
    const now = this.#latest(own, ticket.iat);
    if (ticket.exp <= now) return 'expired';
    if (this.#used.has(ticket.jti)) return 'used';
    if (this.#used.size >= USED_TICKETS) this.#forget(now);
    if (this.#used.size >= USED_TICKETS) return 'full';
    // Where this node's clock is behind the controller's, it is not valid for longer than it was made for.
    return { ticket, validMs: Math.min(ticket.exp - now, ticket.exp - ticket.iat) };
  }

  /** Use a ticket that was checked: it is not valid any more. */
  use({ ticket }: AcceptedTicket): void {
    this.#used.set(ticket.jti, ticket.exp);
  }

  /** Verify a ticket and use it. */
  take(text: string): AcceptedTicket | TicketRefusal {
    const accepted = this.check(text);
    if (typeof accepted !== 'string') this.use(accepted);
    return accepted;
  }

  /**
   * The time by this node's clock, or by the controller's where its tickets show that this clock is behind: a client that holds a
   * ticket back does not gain that time, once any ticket has shown it. Not further than TICKET_CLOCK_MS from this clock.
   */
  #latest(own: number, iat: number): number {
    const elapsed = this.#elapsed();
    const known = this.#controller.iat + (elapsed - this.#controller.at);
    if (iat > known || known > own + TICKET_CLOCK_MS) this.#controller = { iat, at: elapsed };
    return Math.max(own, this.#controller.iat + (elapsed - this.#controller.at));
  }

  #read<Kind>(text: string, verify: (signed: Uint8Array, keys: readonly KeyObject[]) => Kind): Kind | TicketRefusal {
    if (text === '') return 'missing';
    const signed = Buffer.from(text, 'base64url');
    if (!TEXT.test(text) || signed.toString('base64url') !== text) return 'unsigned';
    let keys: readonly KeyObject[];
    try {
      keys = readPublicKeys(this.#options.readKeys());
    } catch {
      return 'no-key';
    }
    if (keys.length === 0) return 'no-key';
    try {
      return verify(signed, keys);
    } catch {
      return 'unsigned';
    }
  }

  #forget(now: number): void {
    for (const [jti, exp] of this.#used) if (exp <= now) this.#used.delete(jti);
  }
}

/**
 * The gate of this agent, which reads the keys anew for each ticket: the kubelet replaces the file when the ConfigMap changes.
 * @returns undefined for an agent that takes sessions without tickets
 */
export function ownTicketGate(): TicketGate | undefined {
  const directory = process.env.KSNOOP_TICKETS;
  if (directory === undefined) return undefined;
  const agent = process.env.POD_UID ?? '';
  return new TicketGate({ readKeys: () => readKeyFile(join(directory, 'public.pem')), agent, node: NODE_NAME });
}

function readKeyFile(path: string): string {
  return readFileSync(path, 'latin1').slice(0, PUBLIC_KEY_BYTES);
}
