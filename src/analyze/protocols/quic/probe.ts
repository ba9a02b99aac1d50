import { i32, u8 } from '../../bytes.ts';
import type { Likeness } from '../protocol.ts';
import { initialKeys, openInitial } from './initial-keys.ts';
import { isLong, readLongHeader } from './long-header.ts';
import { isReservedVersion, PACKET, quicVersion } from './versions.ts';

/**
 * By a packet that shows who sent it: an Initial that the client's keys open, Retry, Version Negotiation, early data. A
 * client's Initial that the capture cut cannot be opened: its version must do.
 */
export function quicLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  if (end - start < 7 || !isLong(u8(bytes, start))) return 'no';
  const number = i32(bytes, start + 1) >>> 0;
  const version = quicVersion(number);
  if (number !== 0 && version === undefined) return 'no';
  const header = readLongHeader(bytes, start, end);
  if (header === undefined) return 'no';
  if (version === undefined) return offersVersions(bytes, header.body, end) ? 'server' : 'no';
  if (header.kind === PACKET.retry) return end - header.body > 16 ? 'server' : 'no';
  if (header.kind === PACKET.zeroRtt) return 'client';
  if (header.kind !== PACKET.initial) return 'no';
  if (header.end > end) return 'client';
  if (openInitial(initialKeys(version, header.dcid, 'client'), bytes, header, end, -1) !== undefined) return 'client';
  return header.dcid === '' ? 'server' : 'no';
}

/** Whether a Version Negotiation packet's list is one: whole, and with a version that is known or reserved. */
function offersVersions(bytes: Uint8Array, start: number, end: number): boolean {
  if (end <= start || (end - start) % 4 !== 0) return false;
  for (let at = start; at < end; at += 4) {
    const version = i32(bytes, at) >>> 0;
    if (quicVersion(version) !== undefined || isReservedVersion(version)) return true;
  }
  return false;
}
