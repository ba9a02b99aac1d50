// Recordings on a real cluster, of two tenants with client certificates: what a trigger keeps, what belongs to somebody else, and what goes on
// when the controller or an agent is gone. Agents with tickets are installed for this test, and plain ones again at its end.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { call, find } from '../../src/capture/kube/api.ts';
import { loadKube } from '../../src/capture/kube/config.ts';
import type { Kube } from '../../src/capture/kube/kube.ts';
import { type AgentRecordings, recordingsOf } from '../../src/capture/tenant/agent-recordings.ts';
import { conditionOf } from '../../src/capture/tenant/capture-object.ts';
import { type ClientKey, createClientKey } from '../../src/ticket/seal.ts';
import { messageOf } from '../../src/wire/errors.ts';
import { isObject, type JsonObject, objectAt, objectsAt, parseJson } from '../../src/wire/guard.ts';
import { program as built, ensureBuilt } from '../cluster/builds.ts';
import { certificateKubeconfig } from '../support/accounts.ts';
import type { TestCluster } from '../support/cluster.ts';
import { type Finished, KsnoopProcess, program } from '../support/ksnoop-process.ts';
import { applyText, ensureAgent, ensureShop, ksnoop, kubectl } from '../support/shop.ts';

const TENANTS = ['ksnoop-record-x', 'ksnoop-record-y'] as const;
const [ONE, OTHER] = TENANTS;
const FAILURES = 50;
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-recordings-'));
const kubeconfigs = new Map<string, string>();
const kubes = new Map<string, Kube>();
const { signal } = new AbortController();
let on: TestCluster;

/** A server that speaks S3, in the network of a node of our own cluster. */
const [S3_ADDRESS, S3_PORT] = ['10.77.0.11', 7070];
let s3Process = '';

/** Images may have to be built first; states are waited for on a busy machine. */
const SETTING_UP_MS = 900_000;
const STATE_MS = 240_000;

beforeAll(async () => {
  on = await ensureShop();
  if (on.own) {
    await startBucket();
    await makeClaims();
  }
  await ensureAgent(undefined, undefined, '--captures');
  const image = await kubectl(on, 'get', '-n', 'shop', 'deploy/api', '-o', 'jsonpath={..containers[0].image}');
  const objects = TENANTS.flatMap((tenant) => [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: tenant } },
    pod(tenant, 'api', image, ['/usr/bin/node', '/shop/api.mjs']),
    pod(tenant, 'client', image, ['/usr/bin/transfer', 'serve', '5300']),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: tenant, name: 'api' },
      spec: { selector: { app: 'api' }, ports: [{ port: 80, targetPort: 8080 }] },
    },
    binding(tenant, `captures-${tenant}`, 'ClusterRole', 'ksnoop-captures', tenant),
    binding('ksnoop', `captures-${tenant}`, 'Role', 'ksnoop-tickets', tenant),
  ]);
  await applyText(on, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  for (const tenant of TENANTS) {
    await kubectl(on, 'wait', '-n', tenant, '--for=condition=Ready', 'pod', '--all', '--timeout=300s');
    const kubeconfig = await certificateKubeconfig(on, tenant, [], directory);
    kubeconfigs.set(tenant, kubeconfig);
    kubes.set(tenant, await loadKube({ kubeconfig }));
  }
}, SETTING_UP_MS);
afterAll(async () => {
  for (const kube of kubes.values()) kube.close();
  await on.kubectl('delete', 'namespace', ...TENANTS, '--ignore-not-found', '--wait=false');
  await on.kubectl('delete', '-n', 'ksnoop', 'configmap/ksnoop-destinations', 'secret/ksnoop-destinations');
  const removed = await ksnoop(on, 'uninstall');
  if (removed.code !== 0) throw new Error(removed.stderr);
  if (on.own) await removeClaims();
  await ensureAgent();
  if (s3Process !== '') await on.nodeExec('node1', ['kill', s3Process]);
  rmSync(directory, { recursive: true });
}, SETTING_UP_MS);

/** Before the controllers start: the kubelet would bring them what is new only after a minute. */
async function startBucket(): Promise<void> {
  await ensureBuilt(['versitygw']);
  const root = join(directory, 's3');
  mkdirSync(join(root, 'captures'), { recursive: true });
  const server = `${built('versitygw')} --access AKTEST --secret secret --port ${S3_ADDRESS}:${S3_PORT} posix --nometa ${root}`;
  const { stdout } = await on.nodeExec('node1', ['sh', '-c', `setsid ${server} >/dev/null 2>&1 </dev/null & echo $!`]);
  s3Process = stdout.trim();
  const destination = {
    type: 's3',
    endpoint: `http://${S3_ADDRESS}:${S3_PORT}`,
    bucket: 'captures',
    prefix: 'ksnoop/',
  };
  const archive = JSON.stringify({ ...destination, forcePathStyle: true, namespaces: [ONE] });
  const shared = JSON.stringify({ type: 'pvc', claim: 'ksnoop-shared', namespaces: [ONE] });
  const small = JSON.stringify({ type: 'pvc', claim: 'ksnoop-small' });
  const metadata = { namespace: 'ksnoop', name: 'ksnoop-destinations' };
  const keys = { 'archive.accessKeyId': 'AKTEST', 'archive.secretAccessKey': 'secret' };
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ksnoop' } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { archive, shared, small } },
    { apiVersion: 'v1', kind: 'Secret', metadata, stringData: keys },
  ];
  await applyText(on, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
}

/** Two volumes: a directory that all nodes have, and a disk of 1 MiB on each node. */
const VOLUMES = ['shared', 'small'] as const;
const volumeOf = (name: (typeof VOLUMES)[number]) => join(directory, name);

async function makeClaims(): Promise<void> {
  for (const name of VOLUMES) mkdirSync(volumeOf(name));
  for (const node of ['node1', 'node2']) {
    await on.nodeExec(node, ['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', volumeOf('small')]);
  }
  const objects = VOLUMES.flatMap((volume) => {
    const name = `ksnoop-${volume}`;
    const common = { accessModes: ['ReadWriteMany'], storageClassName: '' };
    return [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name },
        spec: { ...common, capacity: { storage: '1Gi' }, hostPath: { path: volumeOf(volume), type: 'Directory' } },
      },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { namespace: 'ksnoop', name },
        spec: { ...common, volumeName: name, resources: { requests: { storage: '1Gi' } } },
      },
    ];
  });
  await applyText(on, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
}

async function removeClaims(): Promise<void> {
  const names = VOLUMES.map((volume) => `ksnoop-${volume}`);
  await on.kubectl('delete', '-n', 'ksnoop', 'persistentvolumeclaim', ...names, '--ignore-not-found', '--wait=false');
  await on.kubectl('delete', 'persistentvolume', ...names, '--ignore-not-found', '--wait=false');
  for (const node of ['node1', 'node2']) await on.nodeExec(node, ['umount', volumeOf('small')]);
}

function pod(namespace: string, app: string, image: string, command: readonly string[]): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name: app, labels: { app } },
    spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image, command }] },
  };
}

function binding(namespace: string, name: string, kind: string, role: string, user: string): JsonObject {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { namespace, name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  };
}

/** ksnoop as a tenant. */
function as(user: string, ...args: string[]): Promise<Finished> {
  return new KsnoopProcess(args, kubeconfigs.get(user)).finished();
}

const path = (namespace: string, name: string) => `/apis/ksnoop.io/v1alpha1/namespaces/${namespace}/captures/${name}`;

function kubeOf(user: string): Kube {
  const kube = kubes.get(user);
  if (kube === undefined) throw new Error(`no kubeconfig of ${user}`);
  return kube;
}

async function statusOf(name: string, namespace: string = ONE): Promise<JsonObject> {
  return objectAt((await find(kubeOf(namespace), path(namespace, name), signal)) ?? {}, 'status');
}

/** Wait until a status holds. */
async function until(name: string, holds: (status: JsonObject) => void, timeout = STATE_MS): Promise<JsonObject> {
  let status: JsonObject = {};
  await vi.waitFor(
    async () => {
      status = await statusOf(name);
      holds(status);
    },
    { timeout, interval: 250 },
  );
  return status;
}

/** Requests from the client of a tenant to its own api. */
async function traffic(run: string, count: number, paths: string): Promise<void> {
  const url = `http://api.${ONE}.svc.cluster.local/`;
  const words = ['requests', '--n', String(count), '--url', url, '--paths', paths, '--run', run];
  const report = parseJson(await kubectl(on, 'exec', '-n', ONE, 'client', '--', ...words), 'report');
  expect(isObject(report) && report.answered).toBe(count);
}

/** The values of a field of the packets that pass a filter of Wireshark's. */
function valuesOf(file: string, filter: string, field: string): string[] {
  const words = ['-n', '-r', file, '-Y', filter, '-T', 'fields', '-e', field];
  const text = execFileSync('tshark', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return text.split('\n').filter((line) => line !== '');
}

const expectDone = ({ code, stderr }: Finished) => expect([code, stderr]).toEqual([0, stderr]);

test('a trigger keeps what failed: 50 of 50 requests are in the file that ksnoop get writes', async () => {
  const words = ['--ring', '4x4Mi', '--trigger', 'http.status >= 500', '--before', '1s', '--after', '1s'];
  const began = performance.now();
  const recorded = await as(ONE, 'record', 'svc/api', '-n', ONE, '--name', 'night', '--duration', '20m', ...words);
  process.stdout.write(`recording after ${Math.round(performance.now() - began)} ms\n${recorded.stderr}`);
  expectDone(recorded);
  await traffic('fails', FAILURES, 'unavailable');
  await until('night', (status) => expect(objectAt(status, 'counters').triggers).toBe(FAILURES));
  const listed = await as(ONE, 'captures', '-n', ONE);
  process.stdout.write(listed.stdout.toString());
  expect(listed.stdout.toString()).toMatch(/night +Running +svc\/api +1\/1 +1 +\S+ k?B +50 /);
  expectDone(await as(ONE, 'stop', 'capture/night', '-n', ONE));
  await until('night', (status) => expect(status.phase).toBe('Complete'));
  const file = join(directory, 'night.pcapng');
  const got = await as(ONE, 'get', 'capture/night', '-n', ONE, '-w', file);
  process.stdout.write(got.stderr);
  expectDone(got);
  expect(valuesOf(file, 'http.response.code >= 500', 'http.response.code')).toHaveLength(FAILURES);
  const requests = valuesOf(file, 'http.request', 'http.request.uri').filter((uri) => uri.includes('run=fails'));
  expect(new Set(requests).size).toBe(FAILURES);
  const summary = await as(ONE, 'get', 'capture/night', '-n', ONE, '-o', 'summary', '--json');
  expectDone(summary);
  expect(summary.stdout.toString()).toContain('503');
});

test('what belongs to somebody else is refused, whatever is tried', async () => {
  const capture = (await find(kubeOf(ONE), path(ONE, 'night'), signal)) ?? {};
  const key = createClientKey().public;
  const merge = { method: 'PATCH', contentType: 'application/merge-patch+json', signal } as const;
  const patch = (user: string, name: string, body: object, namespace: string = ONE) =>
    call(kubeOf(user), { ...merge, path: path(namespace, name), body: JSON.stringify(body) }).then(
      () => 'done',
      (thrown) => messageOf(thrown),
    );
  const fetchOf = (by: string, more: object = {}) => ({ spec: { fetch: { key, by, ...more } } });
  const refusals: Record<string, string> = {
    'get of another namespace': (await as(OTHER, 'get', 'capture/night', '-n', ONE, '-o', 'summary')).stderr,
    'stop of another namespace': (await as(OTHER, 'stop', 'capture/night', '-n', ONE)).stderr,
    'request in another namespace': await patch(OTHER, 'night', fetchOf(OTHER)),
    'request in the name of another': await patch(ONE, 'night', fetchOf(OTHER)),
    'request with groups of another': await patch(ONE, 'night', fetchOf(ONE, { groups: ['system:masters'] })),
    'an answer of one’s own': await patch(ONE, 'night/status', { status: { fetch: { key } } }),
    'another trigger': await patch(ONE, 'night', { spec: { trigger: { where: 'true' } } }),
    'another destination': await patch(ONE, 'night', { spec: { storage: { destination: 'archive' } } }),
    'another requester': await patch(ONE, 'night', { spec: { requestedBy: OTHER } }),
  };
  for (const [attempt, refusal] of Object.entries(refusals)) {
    process.stdout.write(`${attempt}: ${refusal.split('\n')[0]?.slice(0, 160)}\n`);
    expect([attempt, refusal]).toEqual([
      attempt,
      expect.stringMatching(/FORBIDDEN|forbidden|cannot change|only |must be|denied|may not|not permitted/i),
    ]);
  }
  // A key of somebody who only reads the object opens nothing: the answer is sealed for the key in the request.
  const own = createClientKey();
  await patch(ONE, 'night', { spec: { fetch: { key: own.public, by: ONE } } });
  const first = await until('night', (status) => expect(objectAt(status, 'fetch').key).toBe(own.public));
  for (const line of await replays(objectsAt(objectAt(first, 'fetch'), 'nodes')[0] ?? {}, own, capture)) {
    process.stdout.write(`${line}\n`);
    expect(line).toMatch(/refuses the ticket|with a ticket only/);
  }
  await patch(ONE, 'night', fetchOf(ONE));
  const answered = await until('night', (status) => expect(objectAt(status, 'fetch').key).toBe(key));
  const [node = {}] = objectsAt(objectAt(answered, 'fetch'), 'nodes');
  const sealed = Buffer.from(String(node.sealed), 'base64');
  expect(() => createClientKey().open(sealed)).toThrow();
  // An object of the same name in the other namespace, and one made again under the name, have no files of the first.
  const spec = { ...objectAt(capture, 'spec'), requestedBy: OTHER, requestedByGroups: undefined, state: 'Running' };
  const again = JSON.stringify({
    apiVersion: 'ksnoop.io/v1alpha1',
    kind: 'Capture',
    metadata: { name: 'night' },
    spec,
  });
  await call(kubeOf(OTHER), {
    method: 'POST',
    path: path(OTHER, ''),
    body: again,
    contentType: 'application/json',
    signal,
  });
  const other = await as(OTHER, 'get', 'capture/night', '-n', OTHER, '-o', 'summary');
  expect([other.code, other.stderr]).toEqual([3, expect.stringContaining('NO_SUCH_RECORDING')]);
  expectDone(await as(ONE, 'delete', 'capture/night', '-n', ONE));
  const renewed = ['record', 'svc/api', '-n', ONE, '--name', 'night', '--duration', '5m'];
  expectDone(await as(ONE, ...renewed));
  const empty = await as(ONE, 'get', 'capture/night', '-n', ONE, '-o', 'summary');
  expect([empty.code, empty.stderr]).toEqual([3, expect.stringContaining('NO_SUCH_RECORDING')]);
  expectDone(await as(ONE, 'delete', 'capture/night', '-n', ONE));
});

/** What an agent answers to a ticket that was used, by the other tenant, and for what it is not for. */
async function replays(node: JsonObject, key: ClientKey, capture: JsonObject): Promise<string[]> {
  const agent = { namespace: 'ksnoop', name: String(objectAt(node, 'agent').name) };
  const ticket = key.open(Buffer.from(String(node.sealed), 'base64')).toString('base64url');
  const uid = String(objectAt(capture, 'metadata').uid);
  const ask = async (user: string, name: string, request: (agent: AgentRecordings) => Promise<unknown>) => {
    const recordings = recordingsOf(kubeOf(user), agent, 1);
    const answer = await request(recordings).then(() => 'done', messageOf);
    recordings.close();
    return `${name}: ${answer}`;
  };
  const state = (recordings: AgentRecordings) => recordings.state({ capture: uid, ticket: () => ticket });
  const changed = `${ticket.slice(0, -8)}${'A'.repeat(8)}`;
  const stop = { reason: 'stopped' } as const;
  expect(await ask(ONE, 'own', state)).toBe('own: done');
  return [
    await ask(ONE, 'replayed', state),
    await ask(OTHER, 'replayed by another', state),
    await ask(OTHER, 'changed', (asked) => asked.state({ capture: uid, ticket: () => changed })),
    await ask(OTHER, 'none', (asked) => asked.stop(stop, { capture: uid, ticket: () => '' })),
  ];
}

test('a recording goes on without its controller, and its status is right again within 20 s of the next leader', async () => {
  expectDone(await as(ONE, 'record', 'svc/api', 'pod/client', '-n', ONE, '--name', 'on', '--duration', '20m'));
  await traffic('before', 20, 'ok');
  const leader = await kubectl(
    on,
    'get',
    'lease',
    '-n',
    'ksnoop',
    'ksnoop-controller',
    '-o',
    'jsonpath={.spec.holderIdentity}',
  );
  const [name = ''] = leader.split('_');
  if (on.own) await killController(name);
  else await kubectl(on, 'delete', 'pod', '-n', 'ksnoop', name, '--grace-period=0', '--force');
  const killed = performance.now();
  await traffic('without', 20, 'ok');
  const holder = async () =>
    kubectl(on, 'get', 'lease', '-n', 'ksnoop', 'ksnoop-controller', '-o', 'jsonpath={.spec.holderIdentity}');
  await vi.waitFor(async () => expect(await holder()).not.toBe(leader), { timeout: STATE_MS, interval: 250 });
  process.stdout.write(`the next leader after ${((performance.now() - killed) / 1000).toFixed(1)} s\n`);
  const before = objectAt(await statusOf('on'), 'counters').packets;
  await traffic('after', 20, 'ok');
  await until('on', (status) => expect(objectAt(status, 'counters').packets).toBeGreaterThan(Number(before)));
  expect(conditionOf(await statusOf('on'), 'Degraded').status).toBe('False');
  expectDone(await as(ONE, 'stop', 'capture/on', '-n', ONE));
  await until('on', (status) => expect(status.phase).toBe('Complete'));
  const file = join(directory, 'on.pcapng');
  expectDone(await as(ONE, 'get', 'capture/on', '-n', ONE, '-w', file));
  // At both ends of each connection.
  for (const run of ['before', 'without', 'after']) {
    const uris = valuesOf(file, 'http.request', 'http.request.uri').filter((uri) => uri.includes(`run=${run}`));
    expect([run, uris.length]).toEqual([run, 40]);
  }
});

/** Kill the process of a controller's pod: it gives its Lease to nobody. */
async function killController(pod: string): Promise<void> {
  const of = (path: string) => kubectl(on, 'get', 'pod', '-n', 'ksnoop', pod, '-o', `jsonpath={${path}}`);
  const [node, uid] = [(await of('.spec.nodeName')).trim(), (await of('.metadata.uid')).trim()];
  const script = `for p in $(pgrep -f ksnoop-controller); do grep -q "${uid.replaceAll('-', '[-_]')}" /proc/$p/cgroup && kill -KILL $p && echo $p; done`;
  const { stdout } = await on.nodeExec(node, ['sh', '-c', script]);
  expect(stdout.trim()).toMatch(/^\d+$/);
}

test('a recording whose requester loses the permission is ended within a minute, for good', async () => {
  expectDone(await as(ONE, 'record', 'svc/api', '-n', ONE, '--name', 'lent', '--duration', '20m'));
  await kubectl(on, 'delete', 'rolebinding', `captures-${ONE}`, '-n', ONE);
  const began = performance.now();
  const admin = await loadKube({ kubeconfig: on.kubeconfig });
  try {
    await vi.waitFor(
      async () => {
        const status = objectAt((await find(admin, path(ONE, 'lent'), signal)) ?? {}, 'status');
        expect(conditionOf(status, 'Complete')).toMatchObject({ status: 'True', reason: 'PermissionWithdrawn' });
      },
      { timeout: STATE_MS, interval: 500 },
    );
  } finally {
    admin.close();
  }
  process.stdout.write(`ended after ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
  await applyText(on, JSON.stringify(binding(ONE, `captures-${ONE}`, 'ClusterRole', 'ksnoop-captures', ONE)));
  expectDone(await as(ONE, 'delete', 'capture/lent', '-n', ONE));
}, 300_000);

test('an agent that is deleted leaves a degraded recording: what is lost is stated, and the rest can be fetched', async () => {
  expectDone(await as(ONE, 'record', 'svc/api', 'pod/client', '-n', ONE, '--name', 'lost', '--duration', '20m'));
  await traffic('lost', 20, 'ok');
  const node = await kubectl(on, 'get', 'pod', '-n', ONE, 'api', '-o', 'jsonpath={.spec.nodeName}');
  const selector = ['-l', 'app.kubernetes.io/name=ksnoop-agent', '--field-selector', `spec.nodeName=${node}`];
  await kubectl(on, 'delete', 'pod', '-n', 'ksnoop', ...selector, '--wait=false');
  const status = await until('lost', (now) => expect(conditionOf(now, 'Degraded').reason).toBe('AgentLost'));
  process.stdout.write(`${conditionOf(status, 'Degraded').message}\n`);
  // The next agent of the node records.
  await until('lost', (now) => expect(objectAt(now, 'targets')).toMatchObject({ wanted: 2, capturing: 2 }));
  await traffic('found', 20, 'ok');
  expectDone(await as(ONE, 'stop', 'capture/lost', '-n', ONE));
  await until('lost', (now) => expect(now.phase).toBe('Complete'));
  const file = join(directory, 'lost.pcapng');
  const got = await as(ONE, 'get', 'capture/lost', '-n', ONE, '-w', file);
  process.stdout.write(got.stderr);
  expect(got.code).toBe(4);
  expect(got.stderr).toContain('was replaced or removed');
  const found = valuesOf(file, 'http.request', 'http.request.uri').filter((uri) => uri.includes('run=found'));
  expect(found).toHaveLength(40);
});

test('files go to a real bucket, and are fetched from it with URLs for one file each', async () => {
  if (!on.own) {
    process.stdout.write('skipped: the nodes of a foreign cluster cannot be entered\n');
    return;
  }
  expectDone(await as(ONE, 'record', 'svc/api', '-n', ONE, '--name', 'sent', '--duration', '20m', '--to', 'archive'));
  await traffic('sent', 20, 'ok');
  expectDone(await as(ONE, 'stop', 'capture/sent', '-n', ONE));
  const status = await until('sent', (now) => expect(conditionOf(now, 'Stored').reason).toBe('Sent'));
  for (const file of objectsAt(status, 'files')) {
    process.stdout.write(`${JSON.stringify(file)}\n`);
    expect(String(file.url)).toMatch(new RegExp(`^http://${S3_ADDRESS}:${S3_PORT}/captures/ksnoop/${ONE}/sent-`));
    expect(String(file.url)).not.toContain('?');
  }
  // Where the bucket is reached: in the node's network, which has another way to the API server.
  const kubeconfig = readFileSync(kubeconfigs.get(ONE) ?? '', 'utf8').replace(
    /https:\/\/127\.0\.0\.1:\d+/g,
    'https://10.77.0.10:6443',
  );
  const inside = join(directory, 'inside.kubeconfig');
  writeFileSync(inside, kubeconfig, { mode: 0o600 });
  const file = join(directory, 'sent.pcapng');
  const words = ['get', 'capture/sent', '-n', ONE, '-w', file, '--kubeconfig', inside];
  const got = await on.nodeExec('node1', [process.execPath, program, ...words]);
  process.stdout.write(got.stderr);
  expect([got.code, got.stderr]).toEqual([0, got.stderr]);
  const uris = valuesOf(file, 'http.request', 'http.request.uri').filter((uri) => uri.includes('run=sent'));
  expect(uris).toHaveLength(20);
  const other = await as(
    OTHER,
    'record',
    'svc/api',
    '-n',
    OTHER,
    '--name',
    'sent',
    '--duration',
    '5m',
    '--to',
    'archive',
  );
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('is not for namespace')]);
  // Where nothing can be recorded, nothing is left.
  expect(await find(kubeOf(OTHER), path(OTHER, 'sent'), signal)).toBeUndefined();
});

test('files go to a claim, where they outlive the agents, and go with their Capture', async () => {
  if (!on.own) {
    process.stdout.write('skipped: the nodes of a foreign cluster cannot be entered\n');
    return;
  }
  const words = ['record', 'svc/api', 'pod/client', '-n', ONE, '--name', 'claimed', '--duration', '20m'];
  expectDone(await as(ONE, ...words, '--to', 'shared'));
  await traffic('claimed', 20, 'ok');
  expectDone(await as(ONE, 'stop', 'capture/claimed', '-n', ONE));
  const status = await until('claimed', (now) => expect(conditionOf(now, 'Stored').reason).toBe('Sent'));
  const uid = String(objectAt((await find(kubeOf(ONE), path(ONE, 'claimed'), signal)) ?? {}, 'metadata').uid);
  const place = join(volumeOf('shared'), 'ksnoop', ONE, `claimed-${uid}`);
  const files = objectsAt(status, 'files');
  expect(files.length).toBeGreaterThan(0);
  for (const { name, url, bytes, sha256 } of files) {
    process.stdout.write(`${name} ${bytes} ${sha256} ${url}\n`);
    expect(url).toBe(`pvc://ksnoop-shared/${ONE}/claimed-${uid}/${name}`);
    const found = readFileSync(join(place, String(name)));
    expect([found.length, createHash('sha256').update(found).digest('hex')]).toEqual([bytes, sha256]);
  }
  // With the agents go their own disks.
  await kubectl(on, 'delete', 'pod', '-n', 'ksnoop', '-l', 'app.kubernetes.io/name=ksnoop-agent');
  await kubectl(on, 'rollout', 'status', '-n', 'ksnoop', 'daemonset/ksnoop-agent', '--timeout=240s');
  const file = join(directory, 'claimed.pcapng');
  const got = await as(ONE, 'get', 'capture/claimed', '-n', ONE, '-w', file);
  process.stdout.write(got.stderr);
  expectDone(got);
  const uris = valuesOf(file, 'http.request', 'http.request.uri').filter((uri) => uri.includes('run=claimed'));
  expect(uris).toHaveLength(40);
  await strangers(uid, String(files[0]?.name));
  expectDone(await as(ONE, 'delete', 'capture/claimed', '-n', ONE));
  await vi.waitFor(() => expect(readdirSync(join(volumeOf('shared'), 'ksnoop'))).toEqual([]), {
    timeout: STATE_MS,
    interval: 250,
  });
}, 600_000);

/** What another tenant gets of files on a claim: nothing. @param uid of the Capture @param file one of it */
async function strangers(uid: string, file: string): Promise<void> {
  const begin = (to: string, name: string) =>
    as(OTHER, 'record', 'svc/api', '-n', OTHER, '--name', name, '--duration', '10m', '--to', to);
  expect((await begin('shared', 'foreign')).stderr).toContain('is not for namespace');
  expect((await begin('ksnoop-shared', 'foreign')).stderr).toContain('has defined no destination ksnoop-shared');
  expectDone(await begin('small', 'claimed'));
  const merge = { method: 'PATCH', contentType: 'application/merge-patch+json', signal } as const;
  const [directoryOf = '', piece = ''] = file.split('/');
  const volume = 'shared';
  const own = String(objectAt((await find(kubeOf(OTHER), path(OTHER, 'claimed'), signal)) ?? {}, 'metadata').uid);
  const answers: string[] = [];
  for (const [capture, namespace, name] of [
    [own, ONE, 'claimed'],
    [uid, ONE, 'claimed'],
    [own, ONE, `claimed-${uid}/..`],
    [own, '..', 'claimed'],
  ] as const) {
    const key = createClientKey();
    const fetch = JSON.stringify({ spec: { fetch: { key: key.public, by: OTHER } } });
    await call(kubeOf(OTHER), { ...merge, path: path(OTHER, 'claimed'), body: fetch });
    let node: JsonObject = {};
    await vi.waitFor(
      async () => {
        const answer = objectAt(await statusOf('claimed', OTHER), 'fetch');
        expect(answer.key).toBe(key.public);
        node = objectsAt(answer, 'nodes')[0] ?? {};
      },
      { timeout: STATE_MS, interval: 250 },
    );
    const ticket = key.open(Buffer.from(String(node.sealed), 'base64')).toString('base64url');
    const agent = { namespace: 'ksnoop', name: String(objectAt(node, 'agent').name) };
    const recordings = recordingsOf(kubeOf(OTHER), agent, 1);
    const asked = { capture, ticket: () => ticket, signal };
    const stored = { volume, namespace, name, directory: directoryOf, piece };
    answers.push(await recordings.stored(stored, 0, asked).then(() => 'done', messageOf));
    recordings.close();
  }
  process.stdout.write(`${answers.join('\n')}\n`);
  expect(answers).toEqual([
    expect.stringContaining('has no file'),
    expect.stringContaining('ticket'),
    expect.stringMatching(/no such|not known|no valid|unknown/i),
    expect.stringMatching(/no such|not known|no valid|unknown/i),
  ]);
  expectDone(await as(OTHER, 'delete', 'capture/claimed', '-n', OTHER));
}

test('a volume that is full is stated, and its files come when it has room', async () => {
  if (!on.own) {
    process.stdout.write('skipped: the nodes of a foreign cluster cannot be entered\n');
    return;
  }
  const filler = join(volumeOf('small'), 'filler');
  for (const node of ['node1', 'node2']) {
    await on.nodeExec(node, ['sh', '-c', `head -c 2M /dev/zero > ${filler} || true`]);
  }
  const words = ['record', 'svc/api', '-n', ONE, '--name', 'full', '--duration', '20m', '--to', 'small'];
  expectDone(await as(ONE, ...words));
  await traffic('full', 20, 'ok');
  expectDone(await as(ONE, 'stop', 'capture/full', '-n', ONE));
  const status = await until('full', (now) =>
    expect(conditionOf(now, 'Degraded').message).toContain('the volume small is full'),
  );
  process.stdout.write(`${conditionOf(status, 'Degraded').message}\n${conditionOf(status, 'Stored').message}\n`);
  for (const node of ['node1', 'node2']) await on.nodeExec(node, ['rm', filler]);
  await until('full', (now) => expect(conditionOf(now, 'Stored').reason).toBe('Sent'));
  const file = join(directory, 'full.pcapng');
  expectDone(await as(ONE, 'get', 'capture/full', '-n', ONE, '-w', file));
  const uris = valuesOf(file, 'http.request', 'http.request.uri').filter((uri) => uri.includes('run=full'));
  expect(uris).toHaveLength(20);
  expectDone(await as(ONE, 'delete', 'capture/full', '-n', ONE));
}, 600_000);

test('a quota bounds the Captures of a namespace, and the deletion of the namespace waits for nothing', async () => {
  await kubectl(on, 'create', 'quota', 'captures', '-n', OTHER, '--hard=count/captures.ksnoop.io=2');
  await vi.waitFor(
    async () => {
      const used = await kubectl(on, 'get', 'quota', 'captures', '-n', OTHER, '-o', 'jsonpath={.status.used}');
      expect(used).toContain('count/captures.ksnoop.io');
    },
    { timeout: STATE_MS, interval: 500 },
  );
  expectDone(await as(OTHER, 'record', 'svc/api', '-n', OTHER, '--name', 'second', '--duration', '10m'));
  const third = await as(OTHER, 'record', 'svc/api', '-n', OTHER, '--name', 'third', '--duration', '10m');
  expect([third.code, third.stderr]).toEqual([1, expect.stringContaining('has no place for another Capture')]);
  const began = performance.now();
  await kubectl(on, 'delete', 'namespace', OTHER, '--timeout=120s');
  process.stdout.write(`the namespace is gone after ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
});
