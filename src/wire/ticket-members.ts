import { invalid, type JsonObject, requireString } from './guard.ts';

/** What members of tickets are checked by, whatever kind of ticket they are of. */

/** Pods of one ticket. */
export const TICKET_PODS = 100;

/** A UID of an object (metadata.uid). */
export const UID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** 128 random bits. */
export const JTI = /^[0-9a-f]{32}$/;

/** A DNS name (RFC 1123), as names of nodes, pods and namespaces are. */
export const NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

/** Characters of a user's name. */
export const SUB_MAXIMUM = 512;

/** Milliseconds since 1970. */
export const TIME = { minimum: 0, maximum: Number.MAX_SAFE_INTEGER };

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The text of a ticket. @throws KsnoopError INVALID_MESSAGE */
export function ticketText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw invalid('ticket', 'is not UTF-8');
  }
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
export function requireUids(value: unknown, where: string, minimum: number): string[] {
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
