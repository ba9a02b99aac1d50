import { createClientKey } from '../../src/ticket/seal.ts';
import type { JsonObject } from '../../src/wire/guard.ts';

/** The key of the client that all captures of tests are for. */
export const clientKey = createClientKey();

export const CAPTURE_UID = '00000000-0000-4000-8000-00000000000c';

/** A Capture of namespace shop as the API server has it. */
export function madeCapture(
  spec: JsonObject = {},
  { created = Date.now(), ...metadata }: { created?: number; uid?: string; name?: string } = {},
): JsonObject {
  return {
    apiVersion: 'ksnoop.io/v1alpha1',
    kind: 'Capture',
    metadata: {
      name: 'one',
      namespace: 'shop',
      uid: CAPTURE_UID,
      generation: 1,
      resourceVersion: '1',
      creationTimestamp: new Date(created).toISOString(),
      ...metadata,
    },
    spec: {
      state: 'Running',
      targets: ['svc/web'],
      hostNetwork: false,
      limits: { duration: '1h' },
      requestedBy: 'alice',
      clientKey: clientKey.public,
      ...spec,
    },
  };
}
