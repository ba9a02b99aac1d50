import { u8, u16 } from '../../bytes.ts';
import type { Likeness } from '../protocol.ts';
import { HANDSHAKE } from './direction.ts';
import { isRecordHeader, RECORD, RECORD_HEADER } from './records.ts';
import { isSsl2Hello, ssl2Length } from './ssl2-hello.ts';

/** Bytes of a hello's record that are looked at: record header, handshake header, legacy_version. */
const LOOKED_AT = RECORD_HEADER + 4 + 2;

/** A record with a ClientHello or a ServerHello; or one of application data, which does not show which side sent it. */
export function helloLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const length = end - start;
  if (length === 0) return 'more';
  if ((u8(bytes, start) & 0x80) !== 0) return ssl2Likeness(bytes, start, end);
  if (u8(bytes, start) === RECORD.applicationData) return dataLikeness(bytes, start, end);
  if (u8(bytes, start) !== RECORD.handshake) return 'no';
  if (length < RECORD_HEADER) return length >= 2 && u8(bytes, start + 1) !== 3 ? 'no' : 'more';
  if (!isRecordHeader(bytes, start)) return 'no';
  const content = u16(bytes, start + 3);
  if (content === 0) return 'no';
  if (length === RECORD_HEADER) return 'more';
  const type = u8(bytes, start + RECORD_HEADER);
  if (type !== HANDSHAKE.clientHello && type !== HANDSHAKE.serverHello) return 'no';
  const likeness = type === HANDSHAKE.clientHello ? 'client' : 'server';
  if (content < LOOKED_AT - RECORD_HEADER) {
    // A hello cut into tiny records: the next one must be a handshake's as well.
    const next = start + RECORD_HEADER + content;
    if (end - next < RECORD_HEADER) return 'more';
    return u8(bytes, next) === RECORD.handshake && isRecordHeader(bytes, next) ? likeness : 'no';
  }
  if (length < LOOKED_AT) return 'more';
  const message = u8(bytes, start + 6) * 0x10000 + u16(bytes, start + 7);
  if (message < 34 || message > 0xffff) return 'no';
  const version = u8(bytes, start + 9);
  // Drafts of TLS 1.3 named themselves here: 0x7f17, 0x7e02.
  return version === 3 || (likeness === 'server' && (version === 0x7f || version === 0x7e)) ? likeness : 'no';
}

/** Least bytes of an encrypted record: an authentication tag and one more. */
const DATA_MINIMUM = 17;
/** RFC 8446, section 5.2: 2^14 bytes and what encryption adds; of TLS 1.2 up to 2048. */
const DATA_MAXIMUM = 0x4800;

function dataLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  if (end - start < RECORD_HEADER) return 'no';
  const content = u16(bytes, start + 3);
  const sound = isRecordHeader(bytes, start) && u8(bytes, start + 2) <= 3;
  return sound && content >= DATA_MINIMUM && content <= DATA_MAXIMUM ? 'either' : 'no';
}

function ssl2Likeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const length = end - start;
  if (length >= 11) return isSsl2Hello(bytes, start, end) ? 'client' : 'no';
  const wrong = (length > 1 && ssl2Length(bytes, start) === 0) || (length > 2 && u8(bytes, start + 2) !== 1);
  return wrong || (length > 3 && u8(bytes, start + 3) !== 3) ? 'no' : 'more';
}
