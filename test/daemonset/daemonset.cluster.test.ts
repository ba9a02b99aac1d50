// The agents' pod on a real cluster: the capabilities it asks for are those a capture needs, and its probe costs little.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readKustomization } from '../../src/capture/install/manifests.ts';
import { arrayAt, isObject, type JsonObject, objectAt, objectsAt, parseJson } from '../../src/wire/guard.ts';
import type { TestCluster } from '../support/cluster.ts';
import { ensureAgent, kubectl } from '../support/shop.ts';

const base = join(import.meta.dirname, '../../daemonset/base');
const NAMESPACE = 'ksnoop-capabilities';
const CAPTURE = ['tcpdump', '-p', '-Z', 'root', '-i', 'any', '-c', '1', '-w', '/dev/null'];
/** A program as a user of its own with the capability of a packet socket alone. */
const AS_USER = [
  ...['setpriv', '--reuid', '59575', '--regid', '59575', '--clear-groups'],
  ...['--inh-caps', '-all,+net_raw', '--ambient-caps', '-all,+net_raw', '--bounding-set', '-all,+net_raw', '--'],
];
/** As the agent starts a program: in a namespace. */
const inNode = (...program: string[]) => [...['nsenter', '--net=/proc/1/ns/net', '--'], ...AS_USER, ...program];
/** Succeeds when it can end a program of that user. */
const ENDS = `
  const child = require('node:child_process').spawn(${JSON.stringify(AS_USER[0])}, ${JSON.stringify([...AS_USER.slice(1), ...CAPTURE])});
  child.stderr.once('data', () => child.kill('SIGINT'));
  child.once('close', () => process.exit(0));
`;
/** Succeeds when it has CAP_NET_RAW (bit 13) and no other capability, and can never have another one. */
const HAS_NO_MORE = String.raw`
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  process.exit(/^CapPrm:\s0*2000$/m.test(status) && /^CapBnd:\s0*2000$/m.test(status) ? 0 : 1);
`;

let on: TestCluster;
let image: string;
let directory: string;
let agent: JsonObject;
let pod: JsonObject;

beforeAll(async () => {
  on = await ensureAgent();
  directory = mkdtempSync(join(tmpdir(), 'ksnoop-daemonset-'));
  const daemonSet = readKustomization(base).find(({ kind }) => kind === 'DaemonSet') ?? {};
  pod = objectAt(objectAt(objectAt(daemonSet, 'spec'), 'template'), 'spec');
  agent = objectsAt(pod, 'containers')[0] ?? {};
  const path = 'jsonpath={.spec.template.spec.containers[0].image}';
  image = await kubectl(on, 'get', '-n', 'ksnoop', 'daemonset/ksnoop-agent', '-o', path);
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await on.kubectl('delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait=false');
});

async function apply(...objects: object[]): Promise<void> {
  const file = join(directory, 'objects.json');
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  await kubectl(on, 'apply', '-f', file);
}

/** The DaemonSet's pod, but running one command to its end with some of its capabilities. */
function podWith(name: string, capabilities: readonly unknown[], command: readonly string[]): object {
  const { readinessProbe: _readiness, startupProbe: _startup, ...container } = agent;
  const securityContext = { ...objectAt(agent, 'securityContext'), capabilities: { drop: ['ALL'], add: capabilities } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      ...pod,
      serviceAccountName: 'default',
      restartPolicy: 'Never',
      containers: [{ ...container, image, command, securityContext }],
    },
  };
}

async function ended(): Promise<Record<string, string>> {
  for (;;) {
    const list = parseJson(await kubectl(on, 'get', 'pods', '-n', NAMESPACE, '-o', 'json'), 'pods');
    const phases = (isObject(list) ? objectsAt(list, 'items') : []).map((item) => [
      String(objectAt(item, 'metadata').name),
      String(objectAt(item, 'status').phase),
    ]);
    if (phases.every(([, phase]) => phase === 'Succeeded' || phase === 'Failed')) return Object.fromEntries(phases);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

test('a capture needs every capability the DaemonSet adds, and no other', async () => {
  const all = arrayAt(objectAt(objectAt(agent, 'securityContext'), 'capabilities'), 'add');
  const labels = { 'pod-security.kubernetes.io/enforce': 'privileged' };
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels } });
  // A pod is refused before its namespace has the account.
  await kubectl(on, 'wait', '--for=create', 'serviceaccount/default', '-n', NAMESPACE, '--timeout=300s');
  const without = (capability: unknown) => all.filter((other) => other !== capability);
  const nameOf = (capability: unknown) => `without-${String(capability).toLowerCase().replace('_', '-')}`;
  await apply(
    podWith('with-all', all, inNode(...CAPTURE)),
    ...all.map((capability) => {
      const program = capability === 'SETPCAP' ? ['node', '-e', HAS_NO_MORE] : CAPTURE;
      const command = capability === 'KILL' ? ['node', '-e', ENDS] : inNode(...program);
      return podWith(nameOf(capability), without(capability), command);
    }),
    podWith('less-with-all', all, inNode('node', '-e', HAS_NO_MORE)),
    podWith('end-with-all', all, ['node', '-e', ENDS]),
  );
  expect(await ended()).toEqual({
    'with-all': 'Succeeded',
    'less-with-all': 'Succeeded',
    'end-with-all': 'Succeeded',
    'without-net-raw': 'Failed',
    'without-sys-admin': 'Failed',
    'without-sys-ptrace': 'Failed',
    'without-setuid': 'Failed',
    'without-setgid': 'Failed',
    'without-setpcap': 'Failed',
    'without-kill': 'Failed',
  });
});

test('the probe says whether a capture could be opened, and the agent has no token and no shell', async () => {
  const probe = arrayAt(objectAt(objectAt(agent, 'readinessProbe'), 'exec'), 'command').map(String);
  const exec = (...command: string[]) => on.kubectl('exec', '-n', 'ksnoop', 'daemonset/ksnoop-agent', '--', ...command);
  expect(await exec(...probe)).toMatchObject({ code: 0 });
  expect(await exec(...probe.map((word) => (word === 'lo' ? 'none0' : word)))).toMatchObject({ code: 1 });
  expect((await exec('sh', '-c', 'true')).stderr).toContain('not found');
  const read = "require('node:fs').readdirSync('/var/run/secrets')";
  expect((await exec('node', '-e', read)).stderr).toContain('ENOENT');
});

test('an agent that waits and its probe take less than a thousandth of a core', async ({ skip }) => {
  if (!on.own) skip();
  const text = await kubectl(
    on,
    'get',
    'pods',
    '-n',
    'ksnoop',
    '-l',
    'app.kubernetes.io/name=ksnoop-agent',
    '-o',
    'json',
  );
  const list = parseJson(text, 'pods');
  const [item = {}] = isObject(list) ? objectsAt(list, 'items') : [];
  const { name, uid } = objectAt(item, 'metadata');
  const node = String(objectAt(item, 'spec').nodeName);
  const { stdout } = await on.nodeExec(node, ['find', '/sys/fs/cgroup', '-path', `*pod${uid}/cpuacct.usage`]);
  const nanoseconds = async () => Number((await on.nodeExec(node, ['cat', stdout.trim()])).stdout);
  const probe = arrayAt(objectAt(objectAt(agent, 'readinessProbe'), 'exec'), 'command').map(String);
  const before = await nanoseconds();
  for (let times = 0; times < 10; times++) await kubectl(on, 'exec', '-n', 'ksnoop', String(name), '--', ...probe);
  const secondsOfOne = ((await nanoseconds()) - before) / 10 / 1e9;
  expect(secondsOfOne).toBeGreaterThan(0);
  const period = Number(objectAt(agent, 'readinessProbe').periodSeconds);
  expect(secondsOfOne / period).toBeLessThan(0.001);
});

test("kubectl's own kustomize reads base and overlay as ksnoop does", async () => {
  const byKind = (objects: readonly object[]) => objects.map((object) => JSON.stringify(sorted(object))).sort();
  for (const kustomization of ['base', 'overlays/selinux']) {
    const path = join(base, '..', kustomization);
    const theirs = loadAll(await kubectl(on, 'kustomize', path)).map(Object);
    expect(theirs.map((object) => object.kind)).toContain('DaemonSet');
    expect(byKind(theirs)).toEqual(byKind(readKustomization(path)));
  }
  // It puts what an overlay adds to a list first, ksnoop last: the order of volumes and variables has no meaning.
  for (const kustomization of ['overlays/cgroup', 'overlays/captures']) {
    const path = join(base, '..', kustomization);
    const theirs = loadAll(await kubectl(on, 'kustomize', path)).map(Object);
    expect(byKind(theirs.map(byName))).toEqual(byKind(readKustomization(path).map(byName)));
  }
});

/** The same object with its lists of named things in the order of their names. */
function byName(value: unknown): object {
  const ordered = (item: unknown): unknown => {
    if (Array.isArray(item)) {
      const items = item.map(ordered);
      const nameOf = (each: unknown) => (isObject(each) && typeof each.name === 'string' ? each.name : '');
      return items.every((each) => nameOf(each) !== '')
        ? items.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
        : items;
    }
    if (!isObject(item)) return item;
    return Object.fromEntries(Object.entries(item).map(([key, member]) => [key, ordered(member)]));
  };
  return Object(ordered(value));
}

/** The same object with its members in alphabetical order: kustomize orders them so, a file as it likes. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}
