import { i32, u8 } from '../../bytes.ts';
import { VarintReader } from './varint.ts';
import { PACKET, type PacketKind, quicVersion } from './versions.ts';

/** Connection ids are at most this long in the versions that are read. */
const ID_MAXIMUM = 20;

/** A packet with a long header (RFC 9000 section 17.2), within its datagram. */
export interface LongHeader {
  readonly start: number;
  /** 0 for Version Negotiation. */
  readonly version: number;
  /** Undefined for Version Negotiation and unknown versions: then only the connection ids are known. */
  readonly kind: PacketKind | undefined;
  readonly dcid: string;
  readonly scid: string;
  /** Bytes of an Initial's token. */
  readonly tokenLength: number;
  /** Where the packet number stands; of Retry and Version Negotiation: what follows the connection ids. */
  readonly body: number;
  /** Where the packet ends; behind the datagram's end when the capture cut it. */
  readonly end: number;
}

/** Whether a datagram begins with a long header. */
export function isLong(first: number): boolean {
  return (first & 0x80) !== 0;
}

/**
 * Read the long header at `start`.
 * @param greased the fixed bit may be cleared, as those do who have agreed on it (RFC 9287)
 * @returns undefined when it is missing or incomplete
 */
export function readLongHeader(bytes: Uint8Array, start: number, end: number, greased = false): LongHeader | undefined {
  if (end - start < 7 || !isLong(u8(bytes, start))) return undefined;
  const version = i32(bytes, start + 1) >>> 0;
  const dcidEnd = start + 6 + u8(bytes, start + 5);
  if (u8(bytes, start + 5) > ID_MAXIMUM || dcidEnd >= end) return undefined;
  const scidEnd = dcidEnd + 1 + u8(bytes, dcidEnd);
  if (u8(bytes, dcidEnd) > ID_MAXIMUM || scidEnd > end) return undefined;
  const ids = { start, version, dcid: hex(bytes, start + 6, dcidEnd), scid: hex(bytes, dcidEnd + 1, scidEnd) };
  const known = quicVersion(version);
  if (known === undefined) return { ...ids, kind: undefined, tokenLength: 0, body: scidEnd, end };
  // The fixed bit.
  if (!greased && (u8(bytes, start) & 0x40) === 0) return undefined;
  const kind = known.kinds[(u8(bytes, start) >>> 4) & 3];
  if (kind === PACKET.retry) return { ...ids, kind, tokenLength: 0, body: scidEnd, end };
  const reader = new VarintReader(bytes, scidEnd, end);
  let tokenLength = 0;
  if (kind === PACKET.initial) {
    tokenLength = reader.next();
    if (!(tokenLength <= end - reader.at)) return undefined;
    reader.at += tokenLength;
  }
  const length = reader.next();
  // A packet number and the sample behind it (RFC 9001 section 5.4.2).
  if (!(length >= 20)) return undefined;
  return { ...ids, kind, tokenLength, body: reader.at, end: reader.at + length };
}

function hex(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at += 1) text += u8(bytes, at).toString(16).padStart(2, '0');
  return text;
}
