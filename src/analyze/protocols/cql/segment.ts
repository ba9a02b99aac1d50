import { u8 } from '../../bytes.ts';

/** Bytes of a segment's header without compression, and of the checksum behind its payload. */
export const SEGMENT_HEADER = 6;
const SEGMENT_TRAILER = 4;

const PAYLOAD_BITS = 0x1_ffff;
const SELF_CONTAINED = 1 << 17;

const CRC24_START = 0x875060;
const CRC24_POLYNOMIAL = 0x1974f0b;

/**
 * The whole length of a segment (CQL 5, section 2.1, without compression): its header, up to 128 KiB, a checksum; 0 where the header's
 * checksum shows that it is none.
 */
export function segmentLength(bytes: Uint8Array, start: number): number {
  const head = u24le(bytes, start);
  if (head >> 18 !== 0 || crc24(head) !== u24le(bytes, start + 3)) return 0;
  return SEGMENT_HEADER + (head & PAYLOAD_BITS) + SEGMENT_TRAILER;
}

/** Whether a segment holds whole frames; otherwise a part of a long one. */
export function isSelfContained(bytes: Uint8Array, start: number): boolean {
  return (u24le(bytes, start) & SELF_CONTAINED) !== 0;
}

/** Bytes of the payload of a segment of so many bytes. */
export function payloadOf(length: number): number {
  return length - SEGMENT_HEADER - SEGMENT_TRAILER;
}

function u24le(bytes: Uint8Array, at: number): number {
  return u8(bytes, at) | (u8(bytes, at + 1) << 8) | (u8(bytes, at + 2) << 16);
}

/** The checksum of three bytes. */
function crc24(head: number): number {
  let crc = CRC24_START;
  for (let shift = 0; shift < 24; shift += 8) {
    crc ^= ((head >> shift) & 0xff) << 16;
    for (let bit = 0; bit < 8; bit += 1) {
      crc <<= 1;
      if ((crc & 0x1000000) !== 0) crc ^= CRC24_POLYNOMIAL;
    }
  }
  return crc;
}
