// Captures without installed agents: tcpdump of the pod itself, of an ephemeral container, or an agent on the node for one capture.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cacheDirectory } from '../../daemonset/image/cache-directory.ts';
import { staticTcpdump } from '../../daemonset/probe/tcpdump.ts';
import { AGENTLESS_PERMISSIONS } from '../../src/capture/plan/agentless-permissions.ts';
import { objectsAt, requireObject } from '../../src/wire/guard.ts';
import { buildProbeImage } from '../cluster/workloads/image.ts';
import { accountWith, kubeconfigOf, type Rule, removeAccounts } from '../support/accounts.ts';
import { builtAgentImage } from '../support/agent-image.ts';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { applyText, ensureImage, ensureShop, kubectl, requests, shopPods } from '../support/shop.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-agentless-'));
const LEVELS = ['privileged', 'baseline', 'restricted'] as const;
const HANG_MS = 180_000;
let on: TestCluster;
let image: string;
let agentImage: string;
let tcpdump: string;

const place = (level: string) => `agentless-${level}`;

/** As daemonset/base has it; it stays. */
const AGENTS_NAMESPACE = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: 'ksnoop',
    labels: { 'app.kubernetes.io/name': 'ksnoop', 'pod-security.kubernetes.io/enforce': 'privileged' },
  },
};
const ACCOUNTS = 'agentless-accounts';

/** A pod that any policy admits, with tcpdump in its image and no right to use it. */
function pod(level: string): object {
  const securityContext = {
    runAsUser: 1000,
    runAsNonRoot: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  };
  const script = 'mkdir -p /tmp/www; echo hello > /tmp/www/index.html; exec busybox httpd -f -p 8080 -h /tmp/www';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'app', namespace: place(level) },
    spec: { containers: [{ name: 'app', image, command: ['sh', '-c', script], securityContext }] },
  };
}

/** A pod whose container runs as root, with the capabilities that the runtime gives: it may use its own tcpdump. */
function rootPod(): object {
  const container = { name: 'app', image, command: ['busybox', 'sleep', '86400'] };
  const metadata = { name: 'root', namespace: place('baseline') };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [container] } };
}

beforeAll(async () => {
  on = await ensureShop();
  const { path, tag } = await buildProbeImage(console.error);
  await ensureImage(on, tag, path, console.error);
  image = tag;
  const agent = await builtAgentImage(console.error);
  await ensureImage(on, agent.tag, agent.path, console.error);
  agentImage = agent.tag;
  tcpdump = await staticTcpdump('amd64', cacheDirectory(), console.error);
  await applyText(on, JSON.stringify(AGENTS_NAMESPACE));
  // What a run before this one left is on its way out.
  await on.kubectl('delete', 'namespace', ...LEVELS.map(place), '--ignore-not-found', '--timeout=180s');
  for (const level of LEVELS) {
    const labels = { 'pod-security.kubernetes.io/enforce': level };
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: place(level), labels } };
    await applyText(on, [namespace, pod(level)].map((object) => JSON.stringify(object)).join('\n---\n'));
  }
  await applyText(on, JSON.stringify(rootPod()));
  await kubectl(on, 'wait', '-n', place('baseline'), 'pod/root', '--for=condition=Ready', '--timeout=180s');
  for (const level of LEVELS) {
    await kubectl(on, 'wait', '-n', place(level), 'pod/app', '--for=condition=Ready', '--timeout=180s');
  }
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  for (const level of LEVELS) await on?.kubectl('delete', 'namespace', place(level), '--wait=false');
  await removeAccounts(on, ACCOUNTS, [place('baseline'), 'ksnoop', 'shop']);
});

/** What a file has until now. */
async function linesOf(file: string, output: string): Promise<string[]> {
  const { stdout } = await new KsnoopProcess(['read', file, '-o', output], '/nowhere').finished();
  return stdout.toString().split('\n');
}

/** What a capture of the pod app has after a request to it. */
async function exchanges(level: string, mode: string): Promise<{ lines: string[]; stderr: string }> {
  const file = join(directory, `${level}-${mode}.pcapng`);
  const ksnoop = new KsnoopProcess(
    [
      '-v',
      '-n',
      place(level),
      'pod/app',
      `--agentless=${mode}`,
      '--agentless-image',
      image,
      '--agent-image',
      agentImage,
      '-w',
      file,
    ],
    on.kubeconfig,
  );
  await ksnoop.capturing(1);
  const request = ['busybox', 'wget', '-q', '-O', '-', 'http://127.0.0.1:8080/'];
  try {
    await kubectl(on, 'exec', '-n', place(level), 'app', '--', ...request);
    // tcpdump may be behind on a busy machine.
    await expect.poll(async () => (await linesOf(file, 'text')).join(), { timeout: HANG_MS }).toContain('GET / 200');
  } catch (thrown) {
    // It goes before the tests that count what captures leave; what it reports is why nothing came.
    const { stderr } = await ksnoop.stop();
    throw new Error(`no request in the capture: ${stderr}`, { cause: thrown });
  }
  const { code, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(0);
  return { lines: await linesOf(file, 'text'), stderr };
}

test.each(['privileged', 'baseline'])(
  'an ephemeral container captures in a %s namespace and ends with the capture',
  async (level) => {
    const { lines, stderr } = await exchanges(level, 'ephemeral');
    expect(lines.filter((line) => line.includes('GET / 200')).length, lines.join('\n')).toBeGreaterThan(0);
    expect(stderr).toMatch(/ephemeral container ksnoop-[0-9a-f]{8}; its entry in the pod remains/);
    expect(stderr).toMatch(/[1-9]\d* packets captured, [1-9]\d* received/);
    await expect
      .poll(
        async () => {
          const path = '{.status.ephemeralContainerStatuses[*].state.terminated.reason}';
          return kubectl(on, 'get', 'pod', '-n', place(level), 'app', '-o', `jsonpath=${path}`);
        },
        { timeout: HANG_MS },
      )
      .toMatch(/Completed|Error/);
    const restarts = await kubectl(
      on,
      ...['get', 'pod', '-n', place(level), 'app', '-o', 'jsonpath={.status.containerStatuses[0].restartCount}'],
    );
    expect(restarts.trim()).toBe('0');
  },
);

test('a restricted namespace refuses, and the refusal names the policy', async () => {
  const { code, stderr } = await new KsnoopProcess(
    [
      '-n',
      place('restricted'),
      'pod/app',
      '--agentless=ephemeral',
      '--agentless-image',
      image,
      '-w',
      join(directory, 'no'),
    ],
    on.kubeconfig,
  ).finished();
  expect(code).not.toBe(0);
  expect(stderr).toContain('[AGENTLESS_REFUSED]');
  expect(stderr).toContain('restricted');
});

test('tcpdump of the pod itself is used where it may capture, and what is missing is said where it may not', async () => {
  const file = join(directory, 'existing.pcapng');
  const { code, stderr } = await new KsnoopProcess(
    ['-n', place('privileged'), 'pod/app', '--agentless=existing', '-w', file],
    on.kubeconfig,
  ).finished();
  expect(code).not.toBe(0);
  expect(stderr).toContain('[TCPDUMP_ENDED]');
  expect(stderr).toContain('--agentless=ephemeral');
});

test('in a restricted namespace only a way that is allowed there is suggested', async () => {
  for (const flags of [['--agentless=existing'], ['--agentless=upload', '--agentless-program', tcpdump]]) {
    const words = ['-n', place('restricted'), 'pod/app', ...flags, '-w', join(directory, 'no')];
    const { code, stderr } = await new KsnoopProcess(words, on.kubeconfig).finished();
    expect(code).not.toBe(0);
    expect(stderr).toContain('--agentless=node');
    expect(stderr).not.toContain('--agentless=ephemeral');
  }
});

test('several pods of the shop are one stream, with their names and filter', async () => {
  const file = join(directory, 'shop.pcapng');
  const ksnoop = new KsnoopProcess(
    ['-n', 'shop', 'deploy/web', '--agentless', '--agentless-image', image, '-f', 'tcp port 8080', '-w', file],
    on.kubeconfig,
  );
  const pods = await shopPods(on, 'web');
  await ksnoop.capturing(pods.length);
  await requests(on, { n: 20, run: 'agentless', paths: 'ok' });
  const requested = async () => (await linesOf(file, 'json')).filter((line) => line.includes('run=agentless'));
  await expect.poll(async () => (await requested()).length, { timeout: HANG_MS }).toBeGreaterThanOrEqual(20);
  const { code, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(0);
  for (const line of await requested()) expect(line).toMatch(/"pod":"web-/);
});

test('a ksnoop that is killed leaves no tcpdump', async () => {
  const ksnoop = new KsnoopProcess(
    [
      '-n',
      place('privileged'),
      'pod/app',
      '--agentless=ephemeral',
      '--agentless-image',
      image,
      '-s',
      '211',
      '-w',
      join(directory, 'killed'),
    ],
    on.kubeconfig,
  );
  await ksnoop.capturing(1);
  const node = (
    await kubectl(on, 'get', 'pod', '-n', place('privileged'), 'app', '-o', 'jsonpath={.spec.nodeName}')
  ).trim();
  const running = async () => (await on.nodeExec(node, ['pgrep', '-f', 'tcpdump -n -i any -s 211'])).stdout.trim();
  expect(await running()).not.toBe('');
  ksnoop.child.kill('SIGKILL');
  await expect.poll(running, { timeout: HANG_MS }).toBe('');
});

/** The Jobs that captures have started and that are still there. */
async function jobs(): Promise<string> {
  return (
    await kubectl(on, 'get', 'jobs', '-n', 'ksnoop', '-l', 'app.kubernetes.io/name=ksnoop-once', '-o', 'name')
  ).trim();
}

test('an agent on the node captures also in a restricted namespace, and is removed after the capture', async () => {
  const { lines } = await exchanges('restricted', 'node');
  expect(lines.filter((line) => line.includes('GET / 200')).length, lines.join('\n')).toBeGreaterThan(0);
  await expect.poll(jobs, { timeout: HANG_MS }).toBe('');
});

test('a ksnoop that is killed leaves no agent on the node', async () => {
  const file = join(directory, 'killed-node');
  const ksnoop = new KsnoopProcess(
    ['-n', place('restricted'), 'pod/app', '--agentless=node', '--agent-image', agentImage, '-w', file],
    on.kubeconfig,
  );
  await ksnoop.capturing(1);
  expect(await jobs()).not.toBe('');
  ksnoop.child.kill('SIGKILL');
  // The ended Job is removed by the cluster a moment later.
  const running = ['get', 'pods', '-n', 'ksnoop', '-l', 'app.kubernetes.io/name=ksnoop-once', '-o', 'name'];
  const left = async () => (await kubectl(on, ...running, '--field-selector=status.phase=Running')).trim();
  await expect.poll(left, { timeout: HANG_MS, interval: 500 }).toBe('');
});

test('an agent that cannot be started is named with the reason, and nothing of it remains', async () => {
  const { code, stderr } = await new KsnoopProcess(
    [
      '-n',
      place('baseline'),
      'pod/app',
      '--agentless=node',
      '--agent-image',
      'Not A Name',
      '-w',
      join(directory, 'bad'),
    ],
    on.kubeconfig,
  ).finished();
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/PROBE_NOT_STARTED.*|InvalidImageName/);
  expect(stderr).toContain('--agentless=ephemeral');
  await expect.poll(jobs, { timeout: HANG_MS }).toBe('');
});

type ModeOfRules = 'existing' | 'ephemeral' | 'upload' | 'node';

/** The rules of a mode, in the pod's namespace and in that of the agents. */
function rulesOf(mode: ModeOfRules): { place: string; rule: Rule }[] {
  const needed = AGENTLESS_PERMISSIONS[mode].filter(({ required }) => required);
  const own = [{ verbs: ['get'], group: '', resource: 'pods', place: 'targets' as const }];
  // What finds the target is needed by every mode; `ephemeral` has it among its own.
  const all = [...(mode === 'ephemeral' ? [] : own), ...needed];
  return all.map(({ verbs, group, resource, place: where }) => ({
    place: where === 'agents' ? 'ksnoop' : place('baseline'),
    rule: { apiGroups: [group], resources: [resource], verbs },
  }));
}

async function captureAs(name: string, rules: readonly { place: string; rule: Rule }[], mode: ModeOfRules) {
  const byPlace: Record<string, Rule[]> = {};
  for (const { place: where, rule } of rules) byPlace[where] = [...(byPlace[where] ?? []), rule];
  const objects = [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ACCOUNTS } }];
  await applyText(
    on,
    [...objects, ...accountWith(ACCOUNTS, name, byPlace)].map((each) => JSON.stringify(each)).join('\n---\n'),
  );
  const kubeconfig = await kubeconfigOf(on, ACCOUNTS, name, directory);
  const file = join(directory, `${name}.pcapng`);
  const flags = {
    existing: [],
    ephemeral: ['--agentless-image', image],
    upload: ['--agentless-program', tcpdump],
    node: ['--agent-image', agentImage],
  };
  const pod = mode === 'existing' || mode === 'upload' ? 'pod/root' : 'pod/app';
  const words = [
    '-n',
    place('baseline'),
    pod,
    `--agentless=${mode}`,
    ...flags[mode],
    '--no-follow',
    '--duration',
    '100ms',
    '-w',
    file,
  ];
  return new KsnoopProcess(words, kubeconfig).finished();
}

test.each(['existing', 'ephemeral', 'upload', 'node'] as const)(
  'exactly the permissions that the page lists are enough (%s), and each is needed',
  async (mode) => {
    const rules = rulesOf(mode);
    const { code, stderr } = await captureAs(`all-${mode}`, rules, mode);
    expect(code, stderr).toBe(0);
    for (const [index, { rule }] of rules.entries()) {
      const [resource = ''] = rule.resources;
      // Without delete the Job ends by itself.
      const name = `${mode}-without-${index}`;
      const refused = await captureAs(
        name,
        rules.filter((_, other) => other !== index),
        mode,
      );
      expect(refused.code, `${resource}: ${refused.stderr}`).not.toBe(0);
      expect(refused.stderr).toContain('FORBIDDEN');
      expect(refused.stderr).toContain(resource);
    }
  },
);

/** The rules of the Role in docs/agentless.md. */
function rulesOfPage(): Rule[] {
  const page = readFileSync(join(import.meta.dirname, '../../docs/agentless.md'), 'utf8');
  const role = load(/```yaml\n([^`]*kind: Role\n[^`]*)```/.exec(page)?.[1] ?? '');
  const rules = objectsAt(requireObject(role, 'Role'), 'rules');
  const texts = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);
  return rules.map(({ apiGroups, resources, verbs }) => ({
    apiGroups: texts(apiGroups),
    resources: texts(resources),
    verbs: texts(verbs),
  }));
}

test('with the Role of the page a developer captures a Service and a Deployment, and nothing is missing', async () => {
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ACCOUNTS } },
    ...accountWith(ACCOUNTS, 'developer', { shop: rulesOfPage() }),
  ];
  await applyText(on, objects.map((each) => JSON.stringify(each)).join('\n---\n'));
  const kubeconfig = await kubeconfigOf(on, ACCOUNTS, 'developer', directory);
  const file = join(directory, 'developer.pcapng');
  const words = ['-n', 'shop', 'svc/web', 'deploy/api', '--agentless', '--agentless-image', image];
  const ksnoop = new KsnoopProcess([...words, '-w', file], kubeconfig);
  await ksnoop.capturing((await shopPods(on, 'web')).length + (await shopPods(on, 'api')).length);
  await requests(on, { n: 20, run: 'developer', paths: 'ok' });
  const requested = async () => (await linesOf(file, 'json')).filter((line) => line.includes('run=developer'));
  await expect.poll(async () => (await requested()).length, { timeout: HANG_MS }).toBeGreaterThanOrEqual(20);
  const { code, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(0);
  expect(stderr).not.toContain('forbidden');
  const { stdout } = await new KsnoopProcess(['doctor', '-n', 'shop'], kubeconfig).finished();
  expect(stdout.toString()).toMatch(
    /^agentless +ok +you may capture without agents: ksnoop -n shop TARGET --agentless$/m,
  );
});
