import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { u8 } from '../../bytes.ts';
import type { LongHeader } from './long-header.ts';
import type { QuicVersion } from './versions.ts';

/** Keys of one direction's Initial packets: AES-128-GCM and its header protection (RFC 9001 section 5). */
export interface InitialKeys {
  readonly key: Buffer;
  readonly iv: Buffer;
  readonly hp: Buffer;
}

const TAG = 16;
const SAMPLE = 16;

/**
 * The keys that anyone can derive who sees the client's first packet (RFC 9001 section 5.2, RFC 9369 section 3.3).
 * @param dcid destination connection id of that packet, hexadecimal
 */
export function initialKeys(version: QuicVersion, dcid: string, side: 'client' | 'server'): InitialKeys {
  const initial = createHmac('sha256', version.salt).update(Buffer.from(dcid, 'hex')).digest();
  const secret = expand(initial, `${side} in`, 32);
  return {
    key: expand(secret, `${version.label}key`, 16),
    iv: expand(secret, `${version.label}iv`, 12),
    hp: expand(secret, `${version.label}hp`, 16),
  };
}

/** HKDF-Expand-Label (RFC 8446 section 7.1) of at most 32 bytes: one round. */
function expand(secret: Buffer, label: string, length: number): Buffer {
  const name = `tls13 ${label}`;
  const info = Buffer.from([0, length, name.length, ...Buffer.from(name, 'latin1'), 0, 1]);
  return createHmac('sha256', secret).update(info).digest().subarray(0, length);
}

/** An Initial packet without its protection. */
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
  const { body } = header;
  if (header.end > end || body + 4 + SAMPLE > header.end) return undefined;
  const cipher = createCipheriv('aes-128-ecb', keys.hp, null).setAutoPadding(false);
  const mask = cipher.update(bytes.subarray(body + 4, body + 4 + SAMPLE));
  const first = u8(bytes, header.start) ^ (u8(mask, 0) & 0x0f);
  const numberLength = (first & 3) + 1;
  if (body + numberLength + TAG > header.end) return undefined;
  const associated = Buffer.from(bytes.subarray(header.start, body + numberLength));
  associated[0] = first;
  let truncated = 0;
  for (let index = 0; index < numberLength; index += 1) {
    const byte = u8(bytes, body + index) ^ u8(mask, 1 + index);
    associated[body - header.start + index] = byte;
    truncated = truncated * 256 + byte;
  }
  const number = wholeNumber(truncated, 2 ** (8 * numberLength), largest + 1);
  const decipher = createDecipheriv('aes-128-gcm', keys.key, nonce(keys.iv, number));
  decipher.setAAD(associated).setAuthTag(bytes.subarray(header.end - TAG, header.end));
  const payload = decipher.update(bytes.subarray(body + numberLength, header.end - TAG));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return { number, payload };
}

/** RFC 9000 appendix A.3. */
function wholeNumber(truncated: number, window: number, expected: number): number {
  const candidate = expected - (expected % window) + truncated;
  if (candidate <= expected - window / 2) return candidate + window;
  return candidate > expected + window / 2 && candidate >= window ? candidate - window : candidate;
}

function nonce(iv: Buffer, number: number): Buffer {
  const made = Buffer.from(iv);
  let left = number;
  for (let at = made.length - 1; left > 0; at -= 1) {
    made[at] = u8(made, at) ^ (left % 256);
    left = Math.floor(left / 256);
  }
  return made;
}
