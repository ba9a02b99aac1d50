import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type Resumption, resumptionText } from '../../wire/session-frame.ts';

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
    // x of an OKP key is the public key itself (RFC 8037, section 2).
    this.public = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
    this.#private = privateKey;
  }

  /** @returns the signature of a request to resume, 64 bytes in hex */
  sign(resumption: Resumption): string {
    return sign(null, Buffer.from(resumptionText(resumption), 'latin1'), this.#private).toString('hex');
  }
}
