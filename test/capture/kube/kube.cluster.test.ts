import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAllowed, list } from '../../../src/capture/kube/api.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { type ExecStream, openExec } from '../../../src/capture/kube/exec.ts';
import type { Kube } from '../../../src/capture/kube/kube.ts';
import { resourcePath } from '../../../src/capture/kube/resource.ts';
import { watchObjects } from '../../../src/capture/kube/watch.ts';
import { binaryImage } from '../../cluster/binary-image.ts';
import { cluster, type TestCluster } from '../../support/cluster.ts';
import { HANG_MS } from '../../support/hang.ts';

const NAMESPACE = 'ksnoop-kube-test';
const BUSYBOX = '/bin/busybox';
let directory: string;
let real: TestCluster;
let kube: Kube;

const pod = (name: string, image: string) => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: ${NAMESPACE}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: box
    image: ${image}
    command: [${BUSYBOX}, sleep, "100000"]
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, emptyDir: {}}]
`;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ksnoop-kube-test-'));
  real = await cluster();
  kube = await loadKube({ kubeconfig: real.kubeconfig });
  const image = real.own ? 'ksnoop.test/busybox:1' : 'busybox:1';
  if (real.own) {
    const archive = join(directory, 'busybox.tar');
    writeFileSync(archive, binaryImage({ name: image, program: '/usr/bin/busybox', path: 'bin/busybox' }));
    await real.loadImage(archive);
  }
  await apply(`
apiVersion: v1
kind: Namespace
metadata: {name: ${NAMESPACE}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: eve, namespace: ${NAMESPACE}}
---${pod('box', image)}---${pod('short-lived', image)}`);
  await kubectl('wait', '-n', NAMESPACE, '--for=condition=Ready', 'pod', '--all', '--timeout=300s');
});
afterAll(async () => {
  await real?.kubectl('delete', 'namespace', NAMESPACE, '--wait=false');
  kube?.close();
  rmSync(directory, { recursive: true, force: true });
});

async function kubectl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await real.kubectl(...args);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

async function apply(yaml: string): Promise<void> {
  const file = join(directory, 'manifest.yaml');
  writeFileSync(file, yaml);
  await kubectl('apply', '-f', file);
}

interface Ran {
  readonly stream: ExecStream;
  readonly out: () => string;
  readonly err: () => string;
}

async function exec(command: readonly string[], onStdout?: (bytes: Uint8Array) => void, as: Kube = kube): Promise<Ran> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const stream = await openExec(as, {
    namespace: NAMESPACE,
    pod: 'box',
    container: 'box',
    command,
    stdin: true,
    onStdout: onStdout ?? ((bytes) => out.push(Buffer.from(bytes))),
    onStderr: (bytes) => err.push(Buffer.from(bytes)),
  });
  return { stream, out: () => Buffer.concat(out).toString(), err: () => Buffer.concat(err).toString() };
}

test('stdin, stdout, stderr and the exit code, words with spaces and quotes as they are', async () => {
  const cat = await exec([BUSYBOX, 'cat']);
  await cat.stream.write('one\n');
  await cat.stream.write('zwei ü\n');
  cat.stream.endStdin();
  expect(await cat.stream.ended).toEqual({ kind: 'exited', code: 0 });
  expect(cat.out()).toBe('one\nzwei ü\n');
  const failing = await exec([BUSYBOX, 'sh', '-c', `${BUSYBOX} echo "it's" '$HOME' >&2; exit 42`]);
  expect(await failing.stream.ended).toEqual({ kind: 'exited', code: 42 });
  expect(failing.err()).toBe("it's $HOME\n");
});

test('200 MB arrive whole through a reader that pauses', async () => {
  const file = '/data/random';
  const sum = await exec([
    BUSYBOX,
    'sh',
    '-c',
    `${BUSYBOX} head -c 200000000 /dev/urandom >${file}; ${BUSYBOX} sha256sum ${file}`,
  ]);
  await sum.stream.ended;
  const hash = createHash('sha256');
  let bytes = 0;
  let pauses = 0;
  const { stream } = await exec([BUSYBOX, 'cat', file], (chunk) => {
    hash.update(chunk);
    const before = bytes;
    bytes += chunk.length;
    if (Math.floor(before / 20_000_000) === Math.floor(bytes / 20_000_000)) return;
    pauses++;
    stream.pause();
    setTimeout(() => stream.resume(), 50);
  });
  expect(await stream.ended).toEqual({ kind: 'exited', code: 0 });
  expect(bytes).toBe(200_000_000);
  expect(pauses).toBe(10);
  expect(hash.digest('hex')).toBe(sum.out().slice(0, 64));
});

test('what cannot be run or is not there is said in the words of the server', async () => {
  const { stream } = await exec(['no-such-program']);
  const end = await stream.ended;
  expect(end.kind === 'failed' && end.error.message).toMatch(/no-such-program.*(not found|no such file)/);
  const request = { namespace: NAMESPACE, pod: 'nobody', container: 'x', command: ['x'], stdin: false };
  const nothing = { onStdout: () => {}, onStderr: () => {} };
  await expect(openExec(kube, { ...request, ...nothing })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: 'Pods "nobody" not found.',
  });
  await expect(openExec(kube, { ...request, ...nothing, pod: 'box' })).rejects.toThrow(
    'Container x is not valid for pod box.',
  );
});

test('a user without rights is told the rule, and with that rule it works', async () => {
  const token = (await kubectl('create', 'token', 'eve', '-n', NAMESPACE)).trim();
  const admin = JSON.parse(
    readFileSync(real.kubeconfig, 'utf8').startsWith('{')
      ? readFileSync(real.kubeconfig, 'utf8')
      : await kubectl('config', 'view', '--raw', '-o', 'json'),
  );
  const kubeconfig = join(directory, 'eve');
  writeFileSync(
    kubeconfig,
    JSON.stringify({ ...admin, users: admin.users.map(({ name }: { name: string }) => ({ name, user: { token } })) }),
  );
  const eve = await loadKube({ kubeconfig });
  const run = () => exec([BUSYBOX, 'true'], undefined, eve);
  await expect(list(eve, resourcePath('v1', NAMESPACE, 'pods'))).rejects.toMatchObject({
    code: 'FORBIDDEN',
    message: expect.stringContaining(`User "system:serviceaccount:${NAMESPACE}:eve" cannot list resource "pods"`),
    hint: expect.stringContaining('{apiGroups: [""], resources: ["pods"], verbs: ["list"]}'),
  });
  const rule = '{apiGroups: [""], resources: ["pods/exec"], verbs: ["get", "create"]}';
  await expect(run()).rejects.toMatchObject({ code: 'FORBIDDEN', hint: expect.stringContaining(rule) });
  const grant = (rules: string) => `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: exec, namespace: ${NAMESPACE}}
rules:
- ${rules}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: exec, namespace: ${NAMESPACE}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: exec}
subjects: [{kind: ServiceAccount, name: eve, namespace: ${NAMESPACE}}]
`;
  expect(await isAllowed(eve, { verb: 'create', resource: 'pods/exec', namespace: NAMESPACE })).toBe(false);
  await apply(grant(rule));
  await expect.poll(async () => (await (await run()).stream.ended).kind, { timeout: HANG_MS }).toBe('exited');
  expect(await isAllowed(eve, { verb: 'create', resource: 'pods/exec', namespace: NAMESPACE })).toBe(true);
});

test('a watch tells that a pod is deleted, and survives the API server', async () => {
  const told: string[] = [];
  const abort = new AbortController();
  const fieldSelector = 'metadata.name=short-lived';
  const running = watchObjects(
    kube,
    resourcePath('v1', NAMESPACE, 'pods'),
    { fieldSelector, signal: abort.signal },
    ({ type }) => {
      told.push(type);
      if (type === 'deleted') abort.abort();
    },
  );
  await expect.poll(() => told.includes('synced'), { timeout: HANG_MS }).toBe(true);
  expect(told).toEqual(['added', 'synced']);
  if (real.own) {
    const { stream } = await exec([BUSYBOX, 'sleep', '600']);
    await real.restartApiServer();
    expect((await stream.ended).kind).toBe('lost');
    await expect.poll(() => told.includes('resumed'), { timeout: HANG_MS }).toBe(true);
  }
  await kubectl('delete', 'pod', 'short-lived', '-n', NAMESPACE, '--wait=false');
  await Promise.race([running, sleep(HANG_MS)]);
  expect(told.at(-1)).toBe('deleted');
});
