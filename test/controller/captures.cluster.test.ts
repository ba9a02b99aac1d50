// The schema, the policy and the controller's permissions as a real API server has them. The agents stay as they are: the controller
// is a process of this test, with the rights of its service account.
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, find, list } from '../../src/capture/kube/api.ts';
import { loadKube } from '../../src/capture/kube/config.ts';
import type { Kube } from '../../src/capture/kube/kube.ts';
import { resourcePath } from '../../src/capture/kube/resource.ts';
import { createClientKey } from '../../src/ticket/seal.ts';
import { verifyTicket } from '../../src/ticket/sign.ts';
import { messageOf } from '../../src/wire/errors.ts';
import { isObject, type JsonObject, objectAt, objectsAt } from '../../src/wire/guard.ts';
import { parseSealedTickets } from '../../src/wire/ticket.ts';
import { kubeconfigOf } from '../support/accounts.ts';
import { cluster, type TestCluster } from '../support/cluster.ts';
import { applyText, ensureAgent, ensureShop, kubectl } from '../support/shop.ts';

const captures = join(import.meta.dirname, '../../daemonset/captures');
/** Namespaces of two tenants. */
const [OURS, THEIRS] = ['ksnoop-tenant-a', 'ksnoop-tenant-b'];
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-captures-'));
const clientKey = createClientKey();
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const ADMIN = 'admin';
const kubes = new Map<string, Kube>();
let on: TestCluster;
let controller: ChildProcess;
/** A node with an agent. */
let node: string;

beforeAll(async () => {
  on = await cluster();
  if ((await on.kubectl('get', 'deployment/client', '-n', 'shop')).code !== 0) await ensureShop();
  if ((await on.kubectl('get', 'daemonset/ksnoop-agent', '-n', 'ksnoop')).code !== 0) await ensureAgent();
  const agents = ['pods', '-n', 'ksnoop', '-l', 'app.kubernetes.io/name=ksnoop-agent'];
  node = await kubectl(on, 'get', ...agents, '-o', 'jsonpath={.items[0].spec.nodeName}');
  const files = ['policy.yaml', 'crd.yaml', 'roles.yaml'].flatMap((file) => ['-f', join(captures, file)]);
  await kubectl(on, 'apply', '--server-side', ...files);
  await kubectl(on, 'wait', '--for=condition=Established', 'crd/captures.ksnoop.io');
  const binding = (namespace: string, name: string, role: string, user: string) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  });
  const objects = [
    ...[OURS, THEIRS].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    binding(OURS, 'tenant', 'ksnoop-captures', 'tenant-a'),
    binding(THEIRS, 'tenant', 'ksnoop-captures', 'tenant-b'),
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'ksnoop-test-writes-captures' },
      rules: [{ apiGroups: ['ksnoop.io'], resources: ['captures'], verbs: ['create', 'get', 'patch'] }],
    },
    // May write Captures, and has no permission to capture.
    binding(OURS, 'writer', 'ksnoop-test-writes-captures', 'writer'),
    pod(OURS, 'one'),
    pod(THEIRS, 'other'),
  ];
  await applyText(on, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  const key = join(directory, 'private.pem');
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const kubeconfig = await kubeconfigOf(on, 'ksnoop', 'ksnoop-controller', directory);
  controller = spawn(process.execPath, [join(import.meta.dirname, '../../src/controller/main.ts')], {
    env: {
      PATH: process.env.PATH,
      KUBECONFIG: kubeconfig,
      KSNOOP_TICKET_KEY: key,
      KSNOOP_READY_FILE: join(directory, 'ready'),
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
});
afterAll(async () => {
  if (controller?.exitCode === null && controller.kill()) await once(controller, 'exit');
  for (const kube of kubes.values()) kube.close();
  // The kind before the policy that protects it.
  const files = ['crd.yaml', 'policy.yaml', 'roles.yaml'].flatMap((file) => ['-f', join(captures, file)]);
  await on.kubectl('delete', '--ignore-not-found', ...files);
  const rest = ['clusterrole/ksnoop-test-writes-captures', `namespace/${OURS}`, `namespace/${THEIRS}`];
  await on.kubectl('delete', '--wait=false', '--ignore-not-found', ...rest);
  await on.kubectl('delete', 'lease', '-n', 'ksnoop', 'ksnoop-controller', '--ignore-not-found');
  rmSync(directory, { recursive: true });
});

/** A pod that does nothing, for its network namespace. */
function pod(namespace: string, name: string): JsonObject {
  const containers = [{ name: 'main', image: 'ksnoop.test/pause:1', command: ['/pause'] }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels: { app: name } },
    // It need not run: a pod that has a node is a target.
    spec: { nodeName: node, terminationGracePeriodSeconds: 0, containers },
  };
}

/** The API server as a user: the administrator, who acts for that user. Much faster than kubectl. */
async function as(user: string): Promise<Kube> {
  const known = kubes.get(user);
  if (known !== undefined) return known;
  const config = load(readFileSync(on.kubeconfig, 'utf8'));
  if (!isObject(config)) throw new Error('no kubeconfig');
  const users = objectsAt(config, 'users').map((entry) => ({
    ...entry,
    user: { ...objectAt(entry, 'user'), ...(user !== ADMIN && { as: user }) },
  }));
  const kubeconfig = join(directory, `${user}.kubeconfig`);
  writeFileSync(kubeconfig, JSON.stringify({ ...config, users }), { mode: 0o600 });
  const kube = await loadKube({ kubeconfig });
  kubes.set(user, kube);
  return kube;
}

const path = (...name: string[]) => resourcePath('ksnoop.io/v1alpha1', OURS, 'captures', ...name);

/** @returns what the API server says where it refuses; empty where it does not */
async function refusal(request: Promise<unknown>): Promise<string> {
  try {
    await request;
    return '';
  } catch (thrown) {
    return messageOf(thrown);
  }
}

/** Create a Capture as a user. */
async function create(name: string, spec: JsonObject, user = 'tenant-a'): Promise<string> {
  const object = {
    apiVersion: 'ksnoop.io/v1alpha1',
    kind: 'Capture',
    metadata: { name },
    spec: {
      targets: ['pod/one'],
      limits: { duration: '10m' },
      requestedBy: user,
      clientKey: clientKey.public,
      ...spec,
    },
  };
  const request = {
    method: 'POST',
    path: path(),
    query: { fieldValidation: 'Strict' },
    body: JSON.stringify(object),
  } as const;
  return refusal(call(await as(user), request));
}

/** Change a Capture as the administrator. */
async function patch(name: string, change: JsonObject, ...subresource: string[]): Promise<string> {
  const body = JSON.stringify(change);
  const contentType = 'application/merge-patch+json';
  return refusal(call(await as(ADMIN), { method: 'PATCH', path: path(name, ...subresource), body, contentType }));
}

async function statusOf(name: string): Promise<JsonObject> {
  return objectAt((await find(await as(ADMIN), path(name))) ?? {}, 'status');
}

test('the API server refuses what the schema and the policy forbid', async () => {
  // The policy is enforced a moment after it was created.
  await expect.poll(() => create('writer', {}, 'writer')).toContain('needs create on pods/exec, or the verb capture');
  const refusals = await Promise.all([
    create('foreign', {}, 'tenant-b'),
    create('name', { requestedBy: 'admin' }),
    create('groups', { requestedByGroups: ['system:masters'] }),
    create('extra', { requestedByExtra: { scopes: ['all'] } }),
    create('host', { hostNetwork: true }),
    create('long', { limits: { duration: '48h' } }),
    create('option', { filter: '-z /bin/sh' }),
    create('lines', { filter: 'port 80\nport 81' }),
    create('controls', { targets: ['pod/\x9b2J'] }),
    create('escapes', { targets: ['pod/\x1b]0;title\x07'] }),
    create('no-key', { clientKey: undefined }),
    create('trigger', { trigger: { where: 'true' } }),
    create('unknown', { hostPath: '/' }),
  ]);
  const words = [
    'cannot create resource "captures"',
    'requestedBy must be your own user name',
    'requestedByGroups must be groups of yours',
    'requestedByExtra must be attributes of yours',
    'hostNetwork needs the cluster-wide verb capture-host-network',
    '24h at most',
    'spec.filter',
    'spec.filter',
    'spec.targets',
    'spec.targets',
    'clientKey is required',
    'need storage',
    'unknown field',
  ];
  for (const [index, refusal] of refusals.entries()) expect(refusal).toContain(words[index]);
});

test('a tenant gets tickets for its own pods while it is allowed, and changes nothing but the state', async () => {
  await expect
    .poll(async () => {
      const { phase } = await statusOf('live');
      if (phase === 'Running') return phase;
      // What was created before the policy was in force stays refused.
      if (phase === 'Refused') await refusal(call(await as(ADMIN), { method: 'DELETE', path: path('live') }));
      await create('live', { targets: ['pod/*'] });
      return phase;
    })
    .toBe('Running');
  const tickets = parseSealedTickets((await statusOf('live')).tickets);
  expect(tickets.flatMap(({ pods }) => pods.map(({ namespace, name }) => `${namespace}/${name}`))).toEqual([
    `${OURS}/one`,
  ]);
  const [first] = tickets;
  const ticket = verifyTicket(clientKey.open(Buffer.from(first?.sealed ?? '', 'base64')), [publicKey]);
  expect(ticket).toMatchObject({ sub: 'tenant-a', node, pods: [first?.pods[0]?.uid] });
  for (const spec of [
    { targets: ['pod/x'] },
    { clientKey: createClientKey().public },
    { limits: { duration: '20m' } },
    { requestedByGroups: ['a'] },
  ]) {
    expect(await patch('live', { spec })).toMatch(/cannot change|only state/);
  }
  expect(await patch('live', { status: { phase: 'Complete' } }, 'status')).toContain('only the controller');
  const events = async () => (await list(await as(ADMIN), resourcePath('v1', OURS, 'events'))).items;
  await expect
    .poll(async () => (await events()).map(({ message }) => message))
    .toContain('tenant-a captures all packets (Capture live)');
  expect(await patch('live', { spec: { state: 'Stopped' } })).toBe('');
  await expect.poll(async () => (await statusOf('live')).phase).toBe('Complete');
  expect((await statusOf('live')).tickets).toEqual([]);
  expect(await patch('live', { spec: { state: 'Running' } })).toContain('stays stopped');
});

test('what was made while the policy was weakened is not admitted once it is restored', async () => {
  const policies = 'validatingadmissionpolicies';
  const policy = resourcePath('admissionregistration.k8s.io/v1', undefined, policies, 'captures.ksnoop.io');
  const conditions = objectAt((await find(await as(ADMIN), policy)) ?? {}, 'spec').matchConditions;
  const change = async (matchConditions: unknown) => {
    const [method, contentType] = ['PATCH', 'application/merge-patch+json'] as const;
    const body = JSON.stringify({ spec: { matchConditions } });
    await call(await as(ADMIN), { method, path: policy, body, contentType });
  };
  await change([{ name: 'never', expression: 'false' }]);
  // In the name of the administrator, whom all is allowed.
  const forged = { requestedBy: 'admin', requestedByGroups: ['system:masters'], targets: ['pod/*'] };
  await expect.poll(() => create('forged', forged)).toBe('');
  await change(conditions);
  await expect.poll(async () => (await statusOf('forged')).phase).toBe('Refused');
  expect((await statusOf('forged')).tickets).toEqual([]);
});

test('without the binding of the policy no Capture is admitted', async () => {
  expect(await create('unprotected', { limits: { duration: '9m' } })).toBe('');
  const bindings = 'validatingadmissionpolicybindings';
  const binding = resourcePath('admissionregistration.k8s.io/v1', undefined, bindings, 'captures.ksnoop.io');
  await call(await as(ADMIN), { method: 'DELETE', path: binding });
  const conditions = async () => objectsAt(await statusOf('unprotected'), 'conditions');
  await expect.poll(async () => (await conditions()).find(({ type }) => type === 'PolicyMissing')?.status).toBe('True');
  expect((await statusOf('unprotected')).tickets).toEqual([]);
});
