import { load } from 'js-yaml';
import { afterEach, expect, test, vi } from 'vitest';
import { keyLogPatchCommand } from '../../../src/cli/keylog/command.ts';
import { type ObjectServer, podObject, startObjectServer, type TestObject } from '../../support/object-server.ts';

let server: ObjectServer | undefined;
afterEach(async () => {
  vi.restoreAllMocks();
  await server?.api.close();
});

const template = { spec: { containers: [{ name: 'app', env: [{ name: 'SSLKEYLOGFILE', value: 'x\u001b[2J' }] }] } };
const deployment: TestObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: { template },
};
const owned = (owner: TestObject) => {
  const { apiVersion, kind, metadata } = owner;
  return {
    ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: `${kind}-${metadata.name}`, controller: true }],
  };
};
const replicaSet: TestObject = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'web-5d4', ...owned(deployment) },
  spec: { template },
};

async function patch(words: readonly string[], options: { container?: string; remove?: boolean } = {}) {
  server = await startObjectServer(
    deployment,
    replicaSet,
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-5d4-x', ...owned(replicaSet) }, spec: {} },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
    podObject('alone'),
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: {} },
  );
  server.answer('/apis', { groups: [] });
  server.answer('/api', { versions: ['v1'] });
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const notes = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const kubeconfig = server.api.kubeconfig();
  await keyLogPatchCommand(words, { ...options, kubeconfig, namespace: 'shop', output: 'yaml' });
  const text = (spy: { mock: { calls: unknown[][] } }) => spy.mock.calls.map(([chunk]) => String(chunk)).join('');
  return { out: text(out), notes: text(notes), seen: server.api.seen };
}

test('the patch is stdout, what to do with it stderr; the cluster is only read', async () => {
  const { out, notes, seen } = await patch(['deploy', 'web']);
  expect(load(out)).toMatchObject({ spec: { template: { spec: { containers: [{ name: 'app' }] } } } });
  expect(notes).toContain('kubectl patch deployment/web -n shop --patch-file');
  expect(notes).toContain('--tls-keylog');
  expect(notes).toContain('KeyLogWriter');
  // Values of the cluster's objects cannot move a terminal's cursor.
  expect(notes).toContain('SSLKEYLOGFILE of container app is set already ("x\\u001b[2J")');
  expect(seen.every((request) => request.startsWith('GET '))).toBe(true);
});

test.each([
  ['pod/web-5d4-x', 'BAD_TARGET', 'ksnoop keylog patch deployment/web -n shop'],
  ['rs/web-5d4', 'BAD_TARGET', 'ksnoop keylog patch deployment/web -n shop'],
  ['pod/alone', 'BAD_TARGET', 'deploy/NAME'],
  ['svc/web', 'BAD_TARGET', 'deploy/NAME'],
  ['deploy/wbe', 'NO_SUCH_TARGET', 'web'],
  ['nonsense/web', 'BAD_TARGET', 'Kinds'],
])('%s is refused as %s, with a hint', async (word, code, hint) => {
  await expect(patch([word])).rejects.toMatchObject({ code, hint: expect.stringContaining(hint) });
});

test.each([[['deploy/web', 'deploy/api']], [['deploy/*']], [[]]])('%j is no single workload', async (words) => {
  await expect(patch(words)).rejects.toMatchObject({ code: 'USAGE' });
});

test('a container that the template does not have is refused', async () => {
  await expect(patch(['deploy/web'], { container: 'wbe' })).rejects.toMatchObject({ code: 'NO_SUCH_CONTAINER' });
});
