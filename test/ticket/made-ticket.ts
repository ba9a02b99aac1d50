import { generateKeyPairSync, type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import type { FetchTicket, ListTicket, RecordTicket } from '../../src/wire/recording-ticket.ts';
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

function madeBase(iat = Date.now()) {
  const jti = randomBytes(16).toString('hex');
  return { sub: 'alice', node: 'worker-1', agent: randomUUID(), iat, exp: iat + 45_000, jti };
}

/** A ticket to record one pod for an hour. */
export function madeRecordTicket(changes: Partial<RecordTicket> = {}): RecordTicket {
  const base = madeBase(changes.iat);
  return {
    kind: 'record',
    capture: randomUUID(),
    ...base,
    pods: [randomUUID()],
    filter: 'tcp port 80',
    snaplen: 262_144,
    hostNetwork: false,
    until: base.iat + 3_600_000,
    ...changes,
  };
}

export function madeFetchTicket(changes: Partial<FetchTicket> = {}): FetchTicket {
  return { kind: 'fetch', capture: randomUUID(), ...madeBase(changes.iat), ...changes };
}

export function madeListTicket(changes: Partial<ListTicket> = {}): ListTicket {
  return { kind: 'list', ...madeBase(changes.iat), ...changes };
}
