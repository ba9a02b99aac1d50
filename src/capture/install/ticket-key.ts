import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { KsnoopError } from '../../wire/errors.ts';
import { stringsAt } from '../../wire/guard.ts';
import { AGENT_NAMESPACE, TICKET_KEY_PUBLIC, TICKET_KEY_SECRET } from '../agent-objects.ts';
import type { ObjectApi } from '../kube/object-api.ts';
import type { Manifest } from './manifests.ts';

/**
 * The key pair of tickets (Ed25519) as objects: the private key in a Secret that only the controller mounts, the public one in a
 * ConfigMap that the agents mount. A key that is there is kept.
 * @throws KsnoopError BAD_MANIFEST when the Secret has no Ed25519 key, and as ObjectApi does
 */
export async function ticketKeyObjects(api: ObjectApi): Promise<Manifest[]> {
  const secret = object('Secret', TICKET_KEY_SECRET);
  const present = await api.find({ apiVersion: 'v1', kind: 'Secret', metadata: secret.metadata });
  const encoded = present === undefined ? undefined : stringsAt(present, 'data')['private.pem'];
  const pem = encoded === undefined ? newKey() : Buffer.from(encoded, 'base64').toString('latin1');
  return [
    { ...secret, type: 'Opaque', data: { 'private.pem': Buffer.from(pem, 'latin1').toString('base64') } },
    { ...object('ConfigMap', TICKET_KEY_PUBLIC), data: { 'public.pem': publicOf(pem) } },
  ];
}

function object(kind: string, name: string) {
  const labels = { 'app.kubernetes.io/name': 'ksnoop-controller' };
  return { apiVersion: 'v1', kind, metadata: { name, namespace: AGENT_NAMESPACE, labels } };
}

function newKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function publicOf(privatePem: string): string {
  try {
    const key = createPublicKey(privatePem);
    if (key.asymmetricKeyType === 'ed25519') return key.export({ type: 'spki', format: 'pem' }).toString();
  } catch {
    // Said below.
  }
  throw new KsnoopError(
    'BAD_MANIFEST',
    `Secret ${AGENT_NAMESPACE}/${TICKET_KEY_SECRET} has no Ed25519 key in private.pem.`,
    {
      hint: `Delete it, and ksnoop install makes another: kubectl delete secret -n ${AGENT_NAMESPACE} ${TICKET_KEY_SECRET}`,
    },
  );
}
