import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import type { Kube } from '../../../src/capture/kube/kube.ts';
import { deleteCapture, listCaptures, stopCapture } from '../../../src/capture/tenant/captures.ts';
import { type ObjectServer, startObjectServer, type TestObject } from '../../support/object-server.ts';

let server: ObjectServer;
let kube: Kube;

const capture = (name: string, status: object): TestObject => ({
  apiVersion: 'ksnoop.io/v1alpha1',
  kind: 'Capture',
  metadata: { name, creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { targets: ['svc/web'], requestedBy: 'alice', limits: { duration: '5m' } },
  status,
});

beforeEach(async () => {
  server = await startObjectServer();
  kube = await loadKube({ kubeconfig: server.api.kubeconfig() });
});
afterEach(async () => {
  kube.close();
  await server.api.close();
});

test('Captures are listed with why they are not admitted', async () => {
  const message = 'alice may not.';
  server.put(capture('a', { phase: 'Running', targets: { admitted: 1, wanted: 2 } }));
  server.put(capture('b', { phase: 'Pending', conditions: [{ type: 'Admitted', status: 'False', message }] }));
  server.put(capture('c', {}));
  const found = await listCaptures(kube, 'shop');
  expect(found.map(({ name, phase, reason, pods }) => [name, phase, reason, pods.admitted, pods.wanted])).toEqual([
    ['a', 'Running', '', 1, 2],
    ['b', 'Pending', message, 0, 0],
    ['c', 'Pending', '', 0, 0],
  ]);
  expect(found[0]).toMatchObject({ requestedBy: 'alice', targets: ['svc/web'], duration: '5m', completed: undefined });
});

test('a cluster without Captures says how to get them', async () => {
  await expect(listCaptures(kube, undefined)).rejects.toMatchObject({
    code: 'NO_CAPTURES',
    hint: expect.stringContaining('ksnoop install --captures'),
  });
});

test('a Capture is stopped, or deleted; one that does not exist is an error', async () => {
  const seen: unknown[] = [];
  server.onWrite(({ method, path, body }) => {
    seen.push([method, path, body]);
    return path.endsWith('/a') ? {} : undefined;
  });
  await stopCapture(kube, 'shop', 'a');
  await deleteCapture(kube, 'shop', 'a');
  const path = '/apis/ksnoop.io/v1alpha1/namespaces/shop/captures/a';
  expect(seen).toEqual([
    ['PATCH', path, { spec: { state: 'Stopped' } }],
    ['DELETE', path, {}],
  ]);
  await expect(stopCapture(kube, 'shop', 'b')).rejects.toMatchObject({ code: 'NO_SUCH_TARGET', exit: 3 });
  await expect(deleteCapture(kube, 'shop', 'b')).rejects.toMatchObject({ code: 'NO_SUCH_TARGET', exit: 3 });
});
