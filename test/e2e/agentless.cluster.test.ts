// Captures without agents: tcpdump of the pod itself, or of an ephemeral container.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProbeImage } from '../cluster/workloads/image.ts';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { applyText, ensureImage, ensureShop, kubectl, requests, shopPods } from '../support/shop.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-agentless-'));
const LEVELS = ['privileged', 'baseline', 'restricted'] as const;
const HANG_MS = 180_000;
let on: TestCluster;
let image: string;

const place = (level: string) => `agentless-${level}`;

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

beforeAll(async () => {
  on = await ensureShop();
  const { path, tag } = await buildProbeImage(console.error);
  await ensureImage(on, tag, path, console.error);
  image = tag;
  // What a run before this one left is on its way out.
  await on.kubectl('delete', 'namespace', ...LEVELS.map(place), '--ignore-not-found', '--timeout=180s');
  for (const level of LEVELS) {
    const labels = { 'pod-security.kubernetes.io/enforce': level };
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: place(level), labels } };
    await applyText(on, [namespace, pod(level)].map((object) => JSON.stringify(object)).join('\n---\n'));
  }
  for (const level of LEVELS) {
    await kubectl(on, 'wait', '-n', place(level), 'pod/app', '--for=condition=Ready', '--timeout=180s');
  }
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  for (const level of LEVELS) await on?.kubectl('delete', 'namespace', place(level), '--wait=false');
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
    ['-v', '-n', place(level), 'pod/app', `--agentless=${mode}`, '--agentless-image', image, '-w', file],
    on.kubeconfig,
  );
  await ksnoop.capturing(1);
  await kubectl(
    on,
    'exec',
    '-n',
    place(level),
    'app',
    '--',
    'busybox',
    'wget',
    '-q',
    '-O',
    '-',
    'http://127.0.0.1:8080/',
  );
  // tcpdump may be behind on a busy machine.
  await expect.poll(async () => (await linesOf(file, 'text')).join(), { timeout: HANG_MS }).toContain('GET / 200');
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
