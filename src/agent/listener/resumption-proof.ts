import { createPublicKey, verify } from 'node:crypto';
import { type Resumption, resumptionText } from '../../wire/session-frame.ts';

/**
 * Whether the holder of a session's private key has signed a request to resume the session (Ed25519, RFC 8032).
 * @param key the public key in hex, from the request that opened the session
 * @param proof the signature in hex
 */
export function isSignedBy(key: string, resumption: Resumption, proof: string): boolean {
  try {
    const x = Buffer.from(key, 'hex').toString('base64url');
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return verify(null, Buffer.from(resumptionText(resumption), 'latin1'), publicKey, Buffer.from(proof, 'hex'));
  } catch {
    // 32 bytes that are no point of the curve.
    return false;
  }
}
