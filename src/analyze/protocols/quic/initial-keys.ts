import { createHmac } from 'node:crypto';
import { expandLabel } from '../tls/decrypt/key-schedule.ts';
import type { LongHeader } from './long-header.ts';
import { HeaderProtection, openPayload, type PayloadKeys, payloadKeys, wholeNumber } from './packet-protection.ts';
import { INITIAL_SUITE } from './packet-suite.ts';
import type { QuicVersion } from './versions.ts';

/** Keys of one direction's Initial packets: AES-128-GCM and its header protection (RFC 9001 section 5). */
export interface InitialKeys {
  readonly payload: PayloadKeys;
  readonly header: HeaderProtection;
}

/**
 * The keys that anyone can derive who sees the client's first packet (RFC 9001 section 5.2, RFC 9369 section 3.3).
 * @param dcid destination connection id of that packet, hexadecimal
 */
export function initialKeys(version: QuicVersion, dcid: string, side: 'client' | 'server'): InitialKeys {
  const initial = createHmac('sha256', version.salt).update(Buffer.from(dcid, 'hex')).digest();
  const secret = expandLabel(initial, 'sha256', `${side} in`, 32);
  return {
    payload: payloadKeys(secret, INITIAL_SUITE, version.label),
    header: new HeaderProtection(secret, INITIAL_SUITE, version.label),
  };
}

/** A packet without its protection. */
export interface OpenedPacket {
  readonly number: number;
  readonly payload: Buffer;
}

/**
 * Remove header protection and encryption from an Initial packet.
 * @param largest greatest packet number opened before in this direction, -1 for none
 * @returns undefined when these are not its keys, or it is not whole
 */
export function openInitial(
  keys: InitialKeys,
  bytes: Uint8Array,
  header: LongHeader,
  end: number,
  largest: number,
): OpenedPacket | undefined {
  if (header.end > end) return undefined;
  const plain = keys.header.remove(bytes, { start: header.start, number: header.body, end: header.end });
  if (plain === undefined) return undefined;
  const number = wholeNumber(plain, largest);
  const payload = openPayload(keys.payload, bytes, plain, number);
  return payload === undefined ? undefined : { number, payload };
}
