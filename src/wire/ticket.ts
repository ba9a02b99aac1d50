import { invalid, requireObject, requireString } from './guard.ts';
import {
  isEqual,
  NAME,
  requireMatch,
  requireTicketBase,
  requireTicketScope,
  TICKET_PODS,
  type TicketBase,
  type TicketScope,
  ticketObject,
  UID,
} from './ticket-members.ts';

export { TICKET_BYTES, TICKET_LIFE_MS, TICKET_PODS } from './ticket-members.ts';

/** Tickets in the status of a Capture. */
export const SEALED_TICKETS = 500;

/** The header of the request for a session that carries a signed ticket, base64url. */
export const TICKET_HEADER = 'ksnoop-ticket';

/** The header of the agent's response that has the reason why a ticket was refused: a key of TICKET_REFUSALS. */
export const TICKET_REFUSAL_HEADER = 'ksnoop-refusal';

/** Why an agent refuses a ticket, as the end of a sentence. */
export const TICKET_REFUSALS = {
  missing: 'it takes sessions with a ticket only',
  unsigned: 'the ticket is not signed with a key that the agent knows',
  expired: 'the ticket has expired, or the clocks of the nodes differ',
  early: 'the ticket was made in the future, or before the agent started: the clocks of the nodes may differ',
  used: 'the ticket was used before',
  'other-agent': 'the ticket is for another agent',
  'other-node': 'the ticket is for another node',
  'other-capture': 'the ticket is of another Capture, user, filter or snaplen than the session',
  full: 'too many tickets are valid at present',
  'no-key': 'it has no public key to verify tickets with',
} as const;
export type TicketRefusal = keyof typeof TICKET_REFUSALS;

/** What the controller allows one client to capture on one node: 1 to TICKET_PODS pods. */
export interface Ticket extends TicketBase, TicketScope {
  /** UID of the Capture object. */
  readonly capture: string;
}

/** A pod as the status of a Capture names it. */
export interface TicketPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** An item of `status.tickets` of a Capture: what the client needs to use the ticket in it. */
export interface SealedTicket {
  readonly node: string;
  /** The agent's pod. */
  readonly agent: TicketPod;
  /** The pods of the ticket. */
  readonly pods: readonly TicketPod[];
  readonly hostNetwork: boolean;
  /** The signed ticket, encrypted for `spec.clientKey` (src/ticket/seal.ts), base64. */
  readonly sealed: string;
}

const MEMBERS = [
  'v',
  'capture',
  'sub',
  'node',
  'agent',
  'pods',
  'filter',
  'snaplen',
  'hostNetwork',
  'iat',
  'exp',
  'jti',
];
const SEALED_MAXIMUM = 16 * 1024;

const encoder = new TextEncoder();

/**
 * The one encoding of a ticket: JSON without white space, with its members in a fixed order and the pods sorted. These bytes are
 * signed.
 * @throws KsnoopError INVALID_MESSAGE for a ticket that parseTicket would refuse
 */
export function encodeTicket(ticket: Ticket): Uint8Array {
  const bytes = encoded({ ...ticket, pods: [...ticket.pods].sort() });
  parseTicket(bytes);
  return bytes;
}

/**
 * Read an encoded ticket. What is not byte for byte what encodeTicket writes is refused: members in another order, unknown ones, white
 * space, other escapes.
 * @throws KsnoopError INVALID_MESSAGE
 */
export function parseTicket(bytes: Uint8Array): Ticket {
  const where = 'ticket';
  const object = ticketObject(bytes, where);
  if (Object.keys(object).some((key) => !MEMBERS.includes(key))) {
    throw invalid(where, 'has a member that is not known');
  }
  const ticket = {
    capture: requireMatch(object, 'capture', where, UID),
    ...requireTicketBase(object, where),
    ...requireTicketScope(object, where, 1),
  };
  if (!isEqual(encoded(ticket), bytes)) throw invalid(where, 'is not in its canonical form');
  return ticket;
}

/**
 * Read `status.tickets` of a Capture. Names of pods in it are shown to people and go into the names of interfaces; what may be
 * captured is in the tickets alone.
 * @throws KsnoopError INVALID_MESSAGE
 */
export function parseSealedTickets(value: unknown): SealedTicket[] {
  const where = "Capture's status";
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalid(where, 'has tickets that are no list');
  if (value.length > SEALED_TICKETS) throw invalid(where, `has ${value.length} tickets, more than ${SEALED_TICKETS}`);
  return value.map((item) => {
    const object = requireObject(item, `${where}, a ticket`);
    const pods: unknown = object.pods;
    if (!Array.isArray(pods) || pods.length === 0 || pods.length > TICKET_PODS) {
      throw invalid(where, `has a ticket whose pods are no list of 1 to ${TICKET_PODS}`);
    }
    return {
      node: requireMatch(object, 'node', where, NAME),
      agent: parsePod(object.agent, where),
      pods: pods.map((pod) => parsePod(pod, where)),
      hostNetwork: object.hostNetwork === true,
      sealed: requireString(object, 'sealed', where, SEALED_MAXIMUM),
    };
  });
}

function parsePod(value: unknown, where: string): TicketPod {
  const pod = requireObject(value, `${where}, a pod`);
  return {
    namespace: requireMatch(pod, 'namespace', where, NAME),
    name: requireMatch(pod, 'name', where, NAME),
    uid: requireMatch(pod, 'uid', where, UID),
  };
}

function encoded(ticket: Ticket): Uint8Array {
  const { capture, sub, node, agent, pods, filter, snaplen, hostNetwork, iat, exp, jti } = ticket;
  const members = { v: 1, capture, sub, node, agent, pods, filter, snaplen, hostNetwork, iat, exp, jti };
  return encoder.encode(JSON.stringify(members));
}
