import { type Cipheriv, createCipheriv, createDecipheriv } from 'node:crypto';
import { i32, u8 } from '../../bytes.ts';
import { expandLabel } from '../tls/decrypt/key-schedule.ts';
import type { PacketSuite } from './packet-suite.ts';

export const TAG_BYTES = 16;
const SAMPLE_BYTES = 16;
/** A packet number is at most so long, and the sample lies behind that many bytes (RFC 9001 section 5.4.2). */
const NUMBER_BYTES = 4;
const MASK_INPUT = Buffer.alloc(5);

/** What one direction's packets are encrypted with under one key. */
export interface PayloadKeys {
  readonly suite: PacketSuite;
  readonly key: Buffer;
  readonly iv: Buffer;
}

/** Key and IV of a secret. @param label `quic ` or `quicv2 ` (RFC 9001 section 5.1, RFC 9369 section 3.3.2) */
export function payloadKeys(secret: Buffer, suite: PacketSuite, label: string): PayloadKeys {
  return {
    suite,
    key: expandLabel(secret, suite.hash, `${label}key`, suite.keyBytes),
    iv: expandLabel(secret, suite.hash, `${label}iv`, 12),
  };
}

/** The secret behind a key update (RFC 9001 section 6.1). @param label `quic ku` or `quicv2 ku` */
export function updatedSecret(secret: Buffer, suite: PacketSuite, label: string): Buffer {
  return expandLabel(secret, suite.hash, label, secret.length);
}

/** A packet's header as it was before it was protected. */
export interface PlainHeader {
  readonly first: number;
  /** The low bytes of the packet number, and how many they are. */
  readonly truncated: number;
  readonly numberLength: number;
  /** The header, which the tag covers. */
  readonly associated: Buffer;
  /** Where the encrypted payload begins, and where the packet ends. */
  readonly payload: number;
  readonly end: number;
}

/** Where a packet lies in its datagram. */
export interface PacketPlace {
  readonly start: number;
  /** Where the packet number is. */
  readonly number: number;
  readonly end: number;
}

/** Removes the header's protection from one direction's packets (RFC 9001 section 5.4); its key stays over key updates. */
export class HeaderProtection {
  readonly key: Buffer;
  /** AES in ECB mode has no state from block to block, so one cipher serves all packets. */
  readonly #aes: Cipheriv | undefined;

  /** @param label as of `payloadKeys` */
  constructor(secret: Buffer, suite: PacketSuite, label: string) {
    this.key = expandLabel(secret, suite.hash, `${label}hp`, suite.keyBytes);
    if (suite.aead === 'chacha20-poly1305') return;
    const name = suite.aead === 'aes-128-gcm' ? 'aes-128-ecb' : 'aes-256-ecb';
    this.#aes = createCipheriv(name, this.key, null).setAutoPadding(false);
  }

  /** @returns undefined for what is too short to be a packet */
  remove(bytes: Uint8Array, { start, number, end }: PacketPlace): PlainHeader | undefined {
    if (number + NUMBER_BYTES + SAMPLE_BYTES > end) return undefined;
    const mask = this.#mask(bytes.subarray(number + NUMBER_BYTES, number + NUMBER_BYTES + SAMPLE_BYTES));
    const protectedFirst = u8(bytes, start);
    const first = protectedFirst ^ (u8(mask, 0) & ((protectedFirst & 0x80) === 0 ? 0x1f : 0x0f));
    const numberLength = (first & 3) + 1;
    const payload = number + numberLength;
    if (payload + TAG_BYTES > end) return undefined;
    const associated = Buffer.from(bytes.subarray(start, payload));
    associated[0] = first;
    let truncated = 0;
    for (let index = 0; index < numberLength; index += 1) {
      const byte = u8(bytes, number + index) ^ u8(mask, 1 + index);
      associated[number - start + index] = byte;
      truncated = truncated * 256 + byte;
    }
    return { first, truncated, numberLength, associated, payload, end };
  }

  #mask(sample: Uint8Array): Uint8Array {
    if (this.#aes !== undefined) return this.#aes.update(sample);
    return createCipheriv('chacha20', this.key, sample).update(MASK_INPUT);
  }
}

/** Decrypt a packet's payload. @param number the whole packet number @returns undefined where the tag does not verify */
export function openPayload(
  { suite, key, iv }: PayloadKeys,
  bytes: Uint8Array,
  header: PlainHeader,
  number: number,
): Buffer | undefined {
  const { payload, end, associated } = header;
  const options = { authTagLength: TAG_BYTES };
  const nonce = nonceOf(iv, number);
  const decipher =
    suite.aead === 'chacha20-poly1305'
      ? createDecipheriv(suite.aead, key, nonce, options)
      : createDecipheriv(suite.aead, key, nonce, options);
  decipher.setAuthTag(bytes.subarray(end - TAG_BYTES, end));
  decipher.setAAD(associated, { plaintextLength: end - TAG_BYTES - payload });
  try {
    const plain = decipher.update(bytes.subarray(payload, end - TAG_BYTES));
    decipher.final();
    return plain;
  } catch {
    // Node reports a tag that does not verify by an exception.
    return undefined;
  }
}

/** The IV combined with the packet number (RFC 9001 section 5.3). */
function nonceOf(iv: Buffer, number: number): Buffer {
  const nonce = Buffer.from(iv);
  nonce.writeUInt32BE((i32(nonce, 4) ^ Math.floor(number / 2 ** 32)) >>> 0, 4);
  nonce.writeUInt32BE((i32(nonce, 8) ^ number) >>> 0, 8);
  return nonce;
}

/**
 * The packet number that is nearest to the one expected (RFC 9000 appendix A.3).
 * @param header with the low bytes of it
 * @param largest greatest number seen in this direction, -1 for none
 */
export function wholeNumber({ truncated, numberLength }: PlainHeader, largest: number): number {
  const window = 2 ** (8 * numberLength);
  const expected = largest + 1;
  const candidate = expected - (expected % window) + truncated;
  if (candidate <= expected - window / 2) return candidate + window;
  return candidate > expected + window / 2 && candidate >= window ? candidate - window : candidate;
}
