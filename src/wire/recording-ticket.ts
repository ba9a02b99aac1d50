import { invalid, type JsonObject, parseJson, requireInteger, requireObject, requireString } from './guard.ts';
import { FILTER_MAXIMUM, SNAPLEN_MAXIMUM, SNAPLEN_MINIMUM } from './limits.ts';
import { TICKET_BYTES, TICKET_LIFE_MS } from './ticket.ts';
import {
  isEqual,
  JTI,
  NAME,
  requireBoolean,
  requireMatch,
  requireUids,
  SUB_MAXIMUM,
  TIME,
  ticketText,
  UID,
} from './ticket-members.ts';

/** A recording ends so long after its ticket was made at the latest, milliseconds: a Capture lasts 24 h, and clocks differ. */
export const RECORDING_LIFE_MS = 25 * 3_600_000;

interface TicketBase {
  /** The user for whom it was made: whose Capture it is, or who fetches. */
  readonly sub: string;
  readonly node: string;
  /** UID of the agent's pod. */
  readonly agent: string;
  /** When it was made, milliseconds since 1970. */
  readonly iat: number;
  /** When it expires: up to TICKET_LIFE_MS after `iat`. */
  readonly exp: number;
  /** 128 random bits in hex: an agent takes each ticket once. */
  readonly jti: string;
}

/** Start, change, stop, remove and upload the recording of one Capture on one node. It does not allow to read packets. */
export interface RecordTicket extends TicketBase {
  readonly kind: 'record';
  /** UID of the Capture. */
  readonly capture: string;
  /** UIDs of the pods that may be recorded, sorted, up to TICKET_PODS. */
  readonly pods: readonly string[];
  /** Capture filter (pcap-filter(7)); empty for none. */
  readonly filter: string;
  /** Bytes kept of each packet. */
  readonly snaplen: number;
  /** The pods are in the network of their node, and that is what may be recorded. */
  readonly hostNetwork: boolean;
  /** When the recording ends at the latest, milliseconds since 1970. */
  readonly until: number;
}

/** Read the state and the pieces of one Capture's recording on one node. */
export interface FetchTicket extends TicketBase {
  readonly kind: 'fetch';
  /** UID of the Capture. */
  readonly capture: string;
}

/** List the recordings of one node: their Captures, and no packets. */
export interface ListTicket extends TicketBase {
  readonly kind: 'list';
}

/** What the controller allows to be done with recordings on one node. */
export type RecordingTicket = RecordTicket | FetchTicket | ListTicket;

const COMMON = ['v', 'kind', 'sub', 'node', 'agent', 'iat', 'exp', 'jti'];
const MEMBERS: { readonly [kind in RecordingTicket['kind']]: readonly string[] } = {
  record: [...COMMON, 'capture', 'pods', 'filter', 'snaplen', 'hostNetwork', 'until'],
  fetch: [...COMMON, 'capture'],
  list: COMMON,
};
const SNAPLEN = { minimum: SNAPLEN_MINIMUM, maximum: SNAPLEN_MAXIMUM };

const encoder = new TextEncoder();

/**
 * The one encoding of such a ticket: JSON without white space, with its members in a fixed order and the pods sorted. These bytes
 * are signed.
 * @throws KsnoopError INVALID_MESSAGE for a ticket that parseRecordingTicket would refuse
 */
export function encodeRecordingTicket(ticket: RecordingTicket): Uint8Array {
  const bytes = encoded(ticket.kind === 'record' ? { ...ticket, pods: [...ticket.pods].sort() } : ticket);
  parseRecordingTicket(bytes);
  return bytes;
}

/**
 * Read an encoded ticket. What is not byte for byte what encodeRecordingTicket writes is refused.
 * @throws KsnoopError INVALID_MESSAGE
 */
export function parseRecordingTicket(bytes: Uint8Array): RecordingTicket {
  const where = 'recording ticket';
  if (bytes.length > TICKET_BYTES) throw invalid(where, `has ${bytes.length} bytes, more than ${TICKET_BYTES}`);
  const object = requireObject(parseJson(ticketText(bytes), where), where);
  if (object.v !== 1) throw invalid(where, 'is of a version that is not known');
  const { kind } = object;
  if (kind !== 'record' && kind !== 'fetch' && kind !== 'list') throw invalid(where, 'is of an unknown kind');
  if (Object.keys(object).some((key) => !MEMBERS[kind].includes(key))) {
    throw invalid(where, 'has a member that is not known');
  }
  const common = parseCommon(object, where);
  const ticket = parseKind(object, kind, common, where);
  if (!isEqual(encoded(ticket), bytes)) throw invalid(where, 'is not in its canonical form');
  return ticket;
}

function parseCommon(object: JsonObject, where: string): TicketBase {
  const iat = requireInteger(object, 'iat', where, TIME);
  const exp = requireInteger(object, 'exp', where, TIME);
  if (exp <= iat || exp - iat > TICKET_LIFE_MS) throw invalid(where, `is valid for ${exp - iat} ms`);
  return {
    sub: requireString(object, 'sub', where, SUB_MAXIMUM),
    node: requireMatch(object, 'node', where, NAME),
    agent: requireMatch(object, 'agent', where, UID),
    iat,
    exp,
    jti: requireMatch(object, 'jti', where, JTI),
  };
}

function parseKind(
  object: JsonObject,
  kind: RecordingTicket['kind'],
  common: TicketBase,
  where: string,
): RecordingTicket {
  if (kind === 'list') return { kind, ...common };
  const capture = requireMatch(object, 'capture', where, UID);
  if (kind === 'fetch') return { kind, capture, ...common };
  const until = requireInteger(object, 'until', where, TIME);
  if (until > common.iat + RECORDING_LIFE_MS) throw invalid(where, 'is for a recording of more than a day');
  return {
    kind,
    capture,
    ...common,
    pods: requireUids(object.pods, where, 0),
    filter: object.filter === '' ? '' : requireString(object, 'filter', where, FILTER_MAXIMUM),
    snaplen: requireInteger(object, 'snaplen', where, SNAPLEN),
    hostNetwork: requireBoolean(object, 'hostNetwork', where),
    until,
  };
}

function encoded(ticket: RecordingTicket): Uint8Array {
  const { kind, sub, node, agent, iat, exp, jti } = ticket;
  const common = { v: 1, kind, sub, node, agent, iat, exp, jti };
  if (ticket.kind === 'list') return encoder.encode(JSON.stringify(common));
  const { capture } = ticket;
  if (ticket.kind === 'fetch') return encoder.encode(JSON.stringify({ ...common, capture }));
  const { pods, filter, snaplen, hostNetwork, until } = ticket;
  return encoder.encode(JSON.stringify({ ...common, capture, pods, filter, snaplen, hostNetwork, until }));
}
