import {
  type Bounds,
  invalid,
  type JsonObject,
  parseJson,
  requireInteger,
  requireObject,
  requireString,
} from './guard.ts';
import { FILTER_MAXIMUM, SNAPLEN_MAXIMUM, SNAPLEN_MINIMUM } from './limits.ts';

/** What tickets have in common, whatever kind they are of, and what their members are checked by. */

/** A ticket is valid for so long after it was made, milliseconds: a right that was withdrawn ends a stream within this time. */
export const TICKET_LIFE_MS = 60_000;

/** Pods of one ticket. A node with more has several tickets. */
export const TICKET_PODS = 100;

/** Bytes of an encoded ticket: with its signature, in base64, it is a header of the request that opens a session. */
export const TICKET_BYTES = 9 * 1024;

/** Who may use a ticket, where, and when. Times are milliseconds since 1970. */
export interface TicketBase {
  /** The user for whom it was made (subject), by the name that the API server knows. */
  readonly sub: string;
  readonly node: string;
  /** UID of the agent's pod. */
  readonly agent: string;
  /** When it was made. */
  readonly iat: number;
  /** When it expires: up to TICKET_LIFE_MS after `iat`. */
  readonly exp: number;
  /** 128 random bits in hex: an agent takes each ticket once. */
  readonly jti: string;
}

/** What a ticket allows to be captured. */
export interface TicketScope {
  /** UIDs (metadata.uid) of the pods, sorted, up to TICKET_PODS. The config hash of a static pod is no UID. */
  readonly pods: readonly string[];
  /** Capture filter (pcap-filter(7)); empty for none. */
  readonly filter: string;
  /** Bytes kept of each packet. */
  readonly snaplen: number;
  /** The pods are in the network of their node, and that is what may be captured. A ticket has pods of one sort only. */
  readonly hostNetwork: boolean;
}

/** A UID of an object (metadata.uid). */
export const UID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** 128 random bits. */
const JTI = /^[0-9a-f]{32}$/;

/** A DNS name (RFC 1123), as names of nodes, pods and namespaces are. */
export const NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

/** Characters of a user's name. */
const SUB_MAXIMUM = 512;

/** Milliseconds since 1970. */
export const TIME: Bounds = { minimum: 0, maximum: Number.MAX_SAFE_INTEGER };

const SNAPLEN: Bounds = { minimum: SNAPLEN_MINIMUM, maximum: SNAPLEN_MAXIMUM };

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * The members of an encoded ticket, not yet checked.
 * @throws KsnoopError INVALID_MESSAGE where it is too long, no JSON, or of another version
 */
export function ticketObject(bytes: Uint8Array, where: string): JsonObject {
  if (bytes.length > TICKET_BYTES) throw invalid(where, `has ${bytes.length} bytes, more than ${TICKET_BYTES}`);
  const object = requireObject(parseJson(ticketText(bytes, where), where), where);
  if (object.v !== 1) throw invalid(where, 'is of a version that is not known');
  return object;
}

function ticketText(bytes: Uint8Array, where: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw invalid(where, 'is not UTF-8');
  }
}

/** @throws KsnoopError INVALID_MESSAGE */
export function requireTicketBase(object: JsonObject, where: string): TicketBase {
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

/** @param minimumPods how many pods there must be @throws KsnoopError INVALID_MESSAGE */
export function requireTicketScope(object: JsonObject, where: string, minimumPods: number): TicketScope {
  return {
    pods: requireUids(object.pods, where, minimumPods),
    ...requireFilter(object, where),
    hostNetwork: requireBoolean(object, 'hostNetwork', where),
  };
}

/** Which packets, and how much of each: also those of an order. @throws KsnoopError INVALID_MESSAGE */
export function requireFilter(object: JsonObject, where: string): Pick<TicketScope, 'filter' | 'snaplen'> {
  return {
    filter: object.filter === '' ? '' : requireString(object, 'filter', where, FILTER_MAXIMUM),
    snaplen: requireInteger(object, 'snaplen', where, SNAPLEN),
  };
}

/** A string of 253 characters at most that has the form of `pattern`. @throws KsnoopError INVALID_MESSAGE */
export function requireMatch(parent: JsonObject, key: string, where: string, pattern: RegExp): string {
  const value = requireString(parent, key, where, 253);
  if (pattern.test(value)) return value;
  throw invalid(where, `has no usable ${key}`);
}

/** @throws KsnoopError INVALID_MESSAGE */
export function requireBoolean(parent: JsonObject, key: string, where: string): boolean {
  const value = parent[key];
  if (typeof value === 'boolean') return value;
  throw invalid(where, `has no usable ${key} (true or false)`);
}

/**
 * UIDs of pods: sorted, without doubles.
 * @param minimum how many there must be
 * @throws KsnoopError INVALID_MESSAGE
 */
function requireUids(value: unknown, where: string, minimum: number): string[] {
  if (!Array.isArray(value) || value.length < minimum || value.length > TICKET_PODS) {
    throw invalid(where, `does not name ${minimum} to ${TICKET_PODS} pods`);
  }
  let last = '';
  for (const uid of value) {
    if (typeof uid !== 'string' || !UID.test(uid)) throw invalid(where, 'names a pod by something that is no UID');
    if (uid <= last) throw invalid(where, 'has pods that are not sorted, or one twice');
    last = uid;
  }
  return value;
}

/** Whether two encodings are the same, byte for byte. */
export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
