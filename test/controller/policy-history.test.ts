import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadKube } from '../../src/capture/kube/config.ts';
import type { Kube } from '../../src/capture/kube/kube.ts';
import { PolicyHistory } from '../../src/controller/policy-history.ts';
import { policyRecords } from '../../src/controller/policy-record.ts';
import { type JsonObject, objectAt } from '../../src/wire/guard.ts';
import { HANG_MS } from '../support/hang.ts';
import { type ObjectServer, startObjectServer } from '../support/object-server.ts';

const PATH = '/apis/coordination.k8s.io/v1/namespaces/ksnoop/leases/ksnoop-controller';
const changed: JsonObject = { metadata: { uid: 'a', generation: 3, creationTimestamp: '2026-01-01T00:00:00Z' } };
const binding: JsonObject = { metadata: { uid: 'b', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' } };

let server: ObjectServer;
let kube: Kube;
let stop: AbortController;
/** Annotations of the Lease. */
let saved: JsonObject | undefined;

beforeEach(async () => {
  stop = new AbortController();
  saved = undefined;
  server = await startObjectServer();
  lease({});
  server.onWrite(({ method, path, body }) => {
    if (method !== 'PATCH' || path !== PATH) return undefined;
    saved = objectAt(objectAt(body, 'metadata'), 'annotations');
    return lease(saved);
  });
  kube = await loadKube({ kubeconfig: server.api.kubeconfig() });
});
afterEach(async () => {
  stop.abort();
  kube.close();
  await server.api.close();
});

function lease(annotations: JsonObject): object {
  const object = { metadata: { name: 'ksnoop-controller', annotations }, spec: {} };
  server.answer(PATH, object);
  return object;
}

async function history(): Promise<PolicyHistory> {
  const made = new PolicyHistory(policyRecords(kube, 'ksnoop', 'ksnoop-controller'), stop.signal, () => {});
  await made.load();
  return made;
}

test('the next controller knows when the policy was changed', async () => {
  const since = (await history()).since(changed, binding);
  await vi.waitUntil(() => saved !== undefined, { timeout: HANG_MS });
  expect((await history()).since(changed, binding)).toBe(since);
});

test.each([
  '',
  'x',
  'null',
  '[]',
  '{"version":1,"since":2}',
  '{"version":"a/3 b/1"}',
  '{"version":"a/3 b/1","since":null}',
])('a record that cannot be understood (%s) counts as none', async (text) => {
  lease({ 'ksnoop.io/policy': text });
  const before = Date.now();
  expect((await history()).since(changed, binding)).toBeGreaterThan(before);
});

test('a controller that may not read the record does not work', async () => {
  server.forbid(/^GET .*leases/);
  await expect(history()).rejects.toMatchObject({ code: 'FORBIDDEN' });
});
