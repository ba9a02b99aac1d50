import { createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import type { RecordKeys } from './key-schedule.ts';
import type { AeadSuite, CbcSuite, Suite } from './suite.ts';

const BLOCK = 16;
/** Bytes of a nonce that stand in the record: GCM and CCM of TLS 1.2. */
const EXPLICIT_NONCE = 8;

/** Undoes the protection of one direction's records under one key. */
export interface RecordCipher {
  /**
   * Bytes that protection adds to a record's content, where that is the same for every record: in TLS 1.3 with the content
   * type and without padding. Undefined for CBC.
   */
  readonly overhead: number | undefined;
  /**
   * @param header the record's five bytes
   * @param body what follows them
   * @param sequence the record's number under this key
   * @returns the content, in TLS 1.3 with type and padding; undefined where tag or MAC does not verify
   */
  open(header: Uint8Array, body: Uint8Array, sequence: number): Uint8Array | undefined;
}

/** @param encryptThenMac CBC with the extension of RFC 7366 */
export function recordCipher(suite: Suite, keys: RecordKeys, isTls13: boolean, encryptThenMac: boolean): RecordCipher {
  if (suite.mode === 'cbc') return new CbcCipher(suite, keys, encryptThenMac);
  return isTls13 ? new Tls13Cipher(suite, keys) : new Tls12Cipher(suite, keys);
}

/** RFC 8446 section 5.2. */
class Tls13Cipher implements RecordCipher {
  readonly overhead: number;
  readonly #suite: AeadSuite;
  readonly #keys: RecordKeys;

  constructor(suite: AeadSuite, keys: RecordKeys) {
    this.#suite = suite;
    this.#keys = keys;
    this.overhead = suite.tagBytes + 1;
  }

  open(header: Uint8Array, body: Uint8Array, sequence: number): Uint8Array | undefined {
    return openAead(this.#suite, this.#keys.key, maskedNonce(this.#keys.iv, sequence), header, body);
  }
}

/** RFC 5246 section 6.2.3.3, with the nonces of RFC 5288, 6655 and 7905. */
class Tls12Cipher implements RecordCipher {
  readonly overhead: number;
  readonly #suite: AeadSuite;
  readonly #keys: RecordKeys;
  readonly #explicit: number;

  constructor(suite: AeadSuite, keys: RecordKeys) {
    this.#suite = suite;
    this.#keys = keys;
    this.#explicit = suite.mode === 'poly1305' ? 0 : EXPLICIT_NONCE;
    this.overhead = this.#explicit + suite.tagBytes;
  }

  open(header: Uint8Array, body: Uint8Array, sequence: number): Uint8Array | undefined {
    const length = body.length - this.overhead;
    if (length < 0) return undefined;
    const explicit = this.#explicit;
    const { iv, key } = this.#keys;
    const nonce = explicit === 0 ? maskedNonce(iv, sequence) : Buffer.concat([iv, body.subarray(0, explicit)]);
    return openAead(this.#suite, key, nonce, macHeader(header, sequence, length), body.subarray(explicit));
  }
}

/** RFC 5246 section 6.2.3.2 and RFC 7366. */
class CbcCipher implements RecordCipher {
  readonly overhead = undefined;
  readonly #suite: CbcSuite;
  readonly #keys: RecordKeys;
  readonly #encryptThenMac: boolean;

  constructor(suite: CbcSuite, keys: RecordKeys, encryptThenMac: boolean) {
    this.#suite = suite;
    this.#keys = keys;
    this.#encryptThenMac = encryptThenMac;
  }

  open(header: Uint8Array, body: Uint8Array, sequence: number): Uint8Array | undefined {
    const { macBytes } = this.#suite;
    if (!this.#encryptThenMac) {
      const plain = this.#decrypt(body);
      if (plain === undefined || plain.length < macBytes) return undefined;
      const content = plain.subarray(0, plain.length - macBytes);
      return this.#verifies(header, content, plain.subarray(content.length), sequence) ? content : undefined;
    }
    if (body.length < macBytes) return undefined;
    const encrypted = body.subarray(0, body.length - macBytes);
    if (!this.#verifies(header, encrypted, body.subarray(encrypted.length), sequence)) return undefined;
    return this.#decrypt(encrypted);
  }

  #verifies(header: Uint8Array, content: Uint8Array, mac: Uint8Array, sequence: number): boolean {
    const computed = createHmac(this.#suite.mac, this.#keys.mac)
      .update(macHeader(header, sequence, content.length))
      .update(content)
      .digest();
    return timingSafeEqual(computed, mac);
  }

  /** Without the padding; undefined where that is wrong. */
  #decrypt(body: Uint8Array): Uint8Array | undefined {
    if (body.length < 2 * BLOCK || body.length % BLOCK !== 0) return undefined;
    const decipher = createDecipheriv(this.#suite.cipher, this.#keys.key, body.subarray(0, BLOCK));
    decipher.setAutoPadding(false);
    const plain = decipher.update(body.subarray(BLOCK));
    const padding = plain[plain.length - 1] as number;
    if (padding + 1 > plain.length) return undefined;
    for (let at = plain.length - 1 - padding; at < plain.length; at += 1) if (plain[at] !== padding) return undefined;
    return plain.subarray(0, plain.length - 1 - padding);
  }
}

function openAead(
  suite: AeadSuite,
  key: Buffer,
  nonce: Uint8Array,
  additional: Uint8Array,
  body: Uint8Array,
): Uint8Array | undefined {
  const length = body.length - suite.tagBytes;
  if (length < 0) return undefined;
  const decipher = aeadDecipher(suite, key, nonce);
  try {
    decipher.setAuthTag(body.subarray(length));
    decipher.setAAD(additional, { plaintextLength: length });
    const plain = decipher.update(body.subarray(0, length));
    decipher.final();
    return plain;
  } catch {
    // Node reports a tag that does not verify by an exception.
    return undefined;
  }
}

function aeadDecipher(suite: AeadSuite, key: Buffer, nonce: Uint8Array) {
  const options = { authTagLength: suite.tagBytes };
  if (suite.mode === 'gcm') return createDecipheriv(suite.cipher, key, nonce, options);
  if (suite.mode === 'ccm') return createDecipheriv(suite.cipher, key, nonce, options);
  return createDecipheriv(suite.cipher, key, nonce, options);
}

/** The IV, its last eight bytes combined with the record's number (RFC 8446 section 5.3). */
function maskedNonce(iv: Buffer, sequence: number): Buffer {
  const nonce = Buffer.from(iv);
  const high = Math.floor(sequence / 2 ** 32);
  nonce.writeUInt32BE((nonce.readUInt32BE(4) ^ high) >>> 0, 4);
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ (sequence >>> 0)) >>> 0, 8);
  return nonce;
}

/** What TLS 1.2 authenticates besides the content: number, type, version, length (RFC 5246 section 6.2.3). */
function macHeader(header: Uint8Array, sequence: number, length: number): Buffer {
  const bytes = Buffer.alloc(13);
  bytes.writeUInt32BE(Math.floor(sequence / 2 ** 32), 0);
  bytes.writeUInt32BE(sequence >>> 0, 4);
  bytes.set(header.subarray(0, 3), 8);
  bytes.writeUInt16BE(length, 11);
  return bytes;
}
