import { invalid, type JsonObject, requireInteger } from './guard.ts';
import {
  isEqual,
  requireMatch,
  requireTicketBase,
  requireTicketScope,
  TIME,
  type TicketBase,
  type TicketScope,
  ticketObject,
  UID,
} from './ticket-members.ts';

/** A recording ends so long after its ticket was made at the latest, milliseconds: a Capture lasts 24 h, and clocks differ. */
export const RECORDING_LIFE_MS = 25 * 3_600_000;

/** Start, change, stop, remove and upload the recording of one Capture on one node. It does not allow to read packets. */
export interface RecordTicket extends TicketBase, TicketScope {
  readonly kind: 'record';
  /** UID of the Capture. */
  readonly capture: string;
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
  const object = ticketObject(bytes, where);
  const { kind } = object;
  if (kind !== 'record' && kind !== 'fetch' && kind !== 'list') throw invalid(where, 'is of an unknown kind');
  if (Object.keys(object).some((key) => !MEMBERS[kind].includes(key))) {
    throw invalid(where, 'has a member that is not known');
  }
  const ticket = parseKind(object, kind, where);
  if (!isEqual(encoded(ticket), bytes)) throw invalid(where, 'is not in its canonical form');
  return ticket;
}

function parseKind(object: JsonObject, kind: RecordingTicket['kind'], where: string): RecordingTicket {
  const base = requireTicketBase(object, where);
  if (kind === 'list') return { kind, ...base };
  const capture = requireMatch(object, 'capture', where, UID);
  if (kind === 'fetch') return { kind, capture, ...base };
  const until = requireInteger(object, 'until', where, TIME);
  if (until > base.iat + RECORDING_LIFE_MS) throw invalid(where, 'is for a recording of more than a day');
  return { kind, capture, ...base, ...requireTicketScope(object, where, 0), until };
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
