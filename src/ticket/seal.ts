import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { invalid } from '../wire/guard.ts';

/** Bytes of an X25519 public key (RFC 7748). */
const KEY_BYTES = 32;
/** Bytes of an AES-256-GCM key, nonce and tag (NIST SP 800-38D). */
const AES_KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The first byte: the version of this form. */
const VERSION = 1;

/** HKDF's `info` (RFC 5869). */
const CONTEXT = 'ksnoop ticket seal v1: X25519, HKDF-SHA256, AES-256-GCM';

/** Bytes that sealing adds to a message. */
export const SEAL_BYTES = 1 + KEY_BYTES + TAG_BYTES;

/** The key pair of a client, of which the public key stands in `spec.clientKey` of its Capture. */
export interface ClientKey {
  /** 32 bytes in base64. */
  readonly public: string;
  /**
   * Open what was sealed for this key.
   * @throws KsnoopError INVALID_MESSAGE when it was sealed for another key, or was changed
   */
  open(sealed: Uint8Array): Buffer;
}

/**
 * Encrypt a message so that only the holder of an X25519 key can read it: version (1 byte), public key made for this message (32), the
 * encrypted message, tag (16). Key and nonce are derived by HKDF-SHA256 from the shared secret, with both public keys as the
 * salt; the version and both public keys are authenticated too.
 * @param clientKey the receiver's public key, 32 bytes in base64
 * @throws KsnoopError INVALID_MESSAGE when that is no such key, or one of a small order
 */
export function seal(message: Uint8Array, clientKey: string): Buffer {
  const receiver = rawKey(clientKey);
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  const ephemeral = rawOf(publicKey);
  const { key, nonce, aad } = derived(privateKey, receiver, ephemeral, receiver);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  return Buffer.concat([Buffer.of(VERSION), ephemeral, cipher.update(message), cipher.final(), cipher.getAuthTag()]);
}

/** Make a key pair. The private key does not leave the returned object. */
export function createClientKey(): ClientKey {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  const own = rawOf(publicKey);
  return { public: own.toString('base64'), open: (sealed) => open(sealed, privateKey, own) };
}

function open(sealed: Uint8Array, privateKey: KeyObject, own: Buffer): Buffer {
  if (sealed.length <= SEAL_BYTES || sealed[0] !== VERSION) {
    throw invalid('sealed ticket', 'is too short, or of a version that is not known');
  }
  const bytes = Buffer.from(sealed);
  const ephemeral = bytes.subarray(1, 1 + KEY_BYTES);
  const { key, nonce, aad } = derived(privateKey, ephemeral, ephemeral, own);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(1 + KEY_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw invalid('sealed ticket', 'was sealed for another key, or changed');
  }
}

function derived(privateKey: KeyObject, other: Buffer, ephemeral: Buffer, receiver: Buffer) {
  const salt = Buffer.concat([ephemeral, receiver]);
  const secret = sharedSecret(privateKey, other);
  const bytes = Buffer.from(hkdfSync('sha256', secret, salt, CONTEXT, AES_KEY_BYTES + NONCE_BYTES));
  return {
    key: bytes.subarray(0, AES_KEY_BYTES),
    nonce: bytes.subarray(AES_KEY_BYTES),
    aad: Buffer.concat([Buffer.of(VERSION), salt]),
  };
}

/** A key of a small order has an all-zero secret with every other one, which OpenSSL refuses (RFC 7748, section 6.1). */
function sharedSecret(privateKey: KeyObject, other: Buffer): Buffer {
  try {
    return diffieHellman({ privateKey, publicKey: publicKeyOf(other) });
  } catch {
    throw invalid('client key', 'is no usable X25519 public key');
  }
}

function publicKeyOf(raw: Buffer): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: raw.toString('base64url') }, format: 'jwk' });
}

/** x of an OKP key is the public key itself (RFC 8037, section 2). */
function rawOf(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
}

function rawKey(base64: string): Buffer {
  const raw = Buffer.from(base64, 'base64');
  if (raw.length === KEY_BYTES && raw.toString('base64') === base64) return raw;
  throw invalid('client key', `is not ${KEY_BYTES} bytes in base64`);
}
