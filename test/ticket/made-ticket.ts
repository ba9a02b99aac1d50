import { generateKeyPairSync, type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import type { Ticket } from '../../src/wire/ticket.ts';

/** The controller's key pair, with its public key as the file of the agents has it. */
export function signingKey(): { readonly privateKey: KeyObject; readonly publicKey: KeyObject; readonly pem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { privateKey, publicKey, pem: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}

export function madeTicket(changes: Partial<Ticket> = {}): Ticket {
  const iat = changes.iat ?? Date.now();
  return {
    capture: randomUUID(),
    sub: 'alice',
    node: 'worker-1',
    agent: randomUUID(),
    pods: [randomUUID()],
    filter: 'tcp port 80',
    snaplen: 262_144,
    hostNetwork: false,
    iat,
    exp: iat + 45_000,
    jti: randomBytes(16).toString('hex'),
    ...changes,
  };
}
