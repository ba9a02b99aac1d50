import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import type { Resumption } from './session-frame.ts';

/** DER in front of the 32 bytes of an Ed25519 public key (RFC 8410, section 4: SubjectPublicKeyInfo). */
const PUBLIC_KEY_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * A client's key of one port-forward session (Ed25519, RFC 8032). Who can capture the agent's loopback reads all that a
 * request contains. So a session is resumed by a signature, and the private key never leaves the client's process.
 */
export class SessionKey {
  /** 32 bytes in hex: part of the request that opens the session. */
  readonly public: string;
  readonly #private: KeyObject;

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    this.public = publicKey.export({ type: 'spki', format: 'der' }).subarray(PUBLIC_KEY_PREFIX.length).toString('hex');
    this.#private = privateKey;
  }

  /** @returns the signature of a request to resume, 64 bytes in hex */
  sign(resumption: Resumption): string {
    return sign(null, signedText(resumption), this.#private).toString('hex');
  }
}

/**
 * Whether the holder of a session's key has signed a request to resume it.
 * @param key the public key in hex, from the request that opened the session
 * @param proof the signature in hex
 */
export function isSignedBy(key: string, resumption: Resumption, proof: string): boolean {
  try {
    const der = Buffer.concat([PUBLIC_KEY_PREFIX, Buffer.from(key, 'hex')]);
    const publicKey = createPublicKey({ key: der, type: 'spki', format: 'der' });
    return verify(null, signedText(resumption), publicKey, Buffer.from(proof, 'hex'));
  } catch {
    // 32 bytes that are no point of the curve.
    return false;
  }
}

/** All that a request to resume asks for; the attempt's number makes each signature valid once. */
function signedText({ id, attempt, windowMs, compress }: Resumption): Buffer {
  return Buffer.from(`ksnoop resume ${id} ${attempt} ${windowMs} ${compress}`, 'latin1');
}
