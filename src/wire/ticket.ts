import { invalid, parseJson, requireInteger, requireObject, requireString } from './guard.ts';
import { FILTER_MAXIMUM, SNAPLEN_MAXIMUM, SNAPLEN_MINIMUM } from './limits.ts';
import {
  isEqual,
  JTI,
  NAME,
  requireBoolean,
  requireMatch,
  requireUids,
  SUB_MAXIMUM,
  TICKET_PODS,
  TIME,
  ticketText,
  UID,
} from './ticket-members.ts';

export { TICKET_PODS } from './ticket-members.ts';

/** A ticket is valid for so long after it was made, milliseconds: a right that was withdrawn ends a stream within this time. */
export const TICKET_LIFE_MS = 60_000;

/** Bytes of an encoded ticket: with its signature, in base64, it is a header of the request that opens a session. */
export const TICKET_BYTES = 9 * 1024;

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

/**
 * What the controller allows one client to capture on one node. All times are milliseconds since 1970.
 */
export interface Ticket {
  /** UID of the Capture object. */
  readonly capture: string;
  /** The user who may capture (subject): the user name that the API server knows. */
  readonly sub: string;
  readonly node: string;
  /** UID of the agent's pod. */
  readonly agent: string;
  /** UIDs (metadata.uid) of the pods, sorted, 1 to TICKET_PODS. The config hash of a static pod is no UID. */
  readonly pods: readonly string[];
  /** Capture filter (pcap-filter(7)); empty for none. */
  readonly filter: string;
  /** Bytes kept of each packet. */
  readonly snaplen: number;
  /** The pods are in the network of their node, and that is what may be captured. A ticket has pods of one sort only. */
  readonly hostNetwork: boolean;
  /** When it was made. */
  readonly iat: number;
  /** When it expires: up to TICKET_LIFE_MS after `iat`. */
  readonly exp: number;
  /** 128 random bits in hex: an agent takes each ticket once. */
  readonly jti: string;
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
const SNAPLEN = { minimum: SNAPLEN_MINIMUM, maximum: SNAPLEN_MAXIMUM };

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
  if (bytes.length > TICKET_BYTES) throw invalid(where, `has ${bytes.length} bytes, more than ${TICKET_BYTES}`);
  const object = requireObject(parseJson(ticketText(bytes), where), where);
  if (object.v !== 1) throw invalid(where, 'is of a version that is not known');
  const unknown = Object.keys(object).find((key) => !MEMBERS.includes(key));
  if (unknown !== undefined) throw invalid(where, 'has a member that is not known');
  const iat = requireInteger(object, 'iat', where, TIME);
  const exp = requireInteger(object, 'exp', where, TIME);
  if (exp <= iat || exp - iat > TICKET_LIFE_MS) throw invalid(where, `is valid for ${exp - iat} ms`);
  const ticket = {
    capture: requireMatch(object, 'capture', where, UID),
    sub: requireString(object, 'sub', where, SUB_MAXIMUM),
    node: requireMatch(object, 'node', where, NAME),
    agent: requireMatch(object, 'agent', where, UID),
    pods: requireUids(object.pods, where, 1),
    filter: object.filter === '' ? '' : requireString(object, 'filter', where, FILTER_MAXIMUM),
    snaplen: requireInteger(object, 'snaplen', where, SNAPLEN),
    hostNetwork: requireBoolean(object, 'hostNetwork', where),
    iat,
    exp,
    jti: requireMatch(object, 'jti', where, JTI),
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
