// Every kind of pod, in namespaces of every Pod Security level, by every way to capture without agents: it captures, or says what refuses and what to try.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { buildAgentImage } from '../../daemonset/image/build.ts';
import { cacheDirectory } from '../../daemonset/image/cache-directory.ts';
import { staticTcpdump } from '../../daemonset/probe/tcpdump.ts';
import { PAUSE_IMAGE } from '../cluster/layout.ts';
import { buildProbeImage } from '../cluster/workloads/image.ts';
import { cluster, type TestCluster } from '../support/cluster.ts';
import { HANG_MS } from '../support/hang.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { applyText, ensureImage, kubectl } from '../support/shop.ts';

const SETUP_MS = 900_000;
const RUNS = 50;
const LEVELS = ['privileged', 'baseline', 'restricted'] as const;
const MODES = ['existing', 'ephemeral', 'upload', 'node'] as const;
type Level = (typeof LEVELS)[number];
type Mode = (typeof MODES)[number];

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-rows-'));
const place = (level: Level) => `ksnoop-rows-${level}`;
let on: TestCluster;
let image: string;
let agentImage: string;
let tcpdump: string;
const running: KsnoopProcess[] = [];
const restartsBefore = new Map<string, string>();

/** What every level admits. */
const TAME = {
  runAsUser: 1000,
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

interface Row {
  readonly levels: readonly Level[];
  readonly pod?: object;
  readonly container?: object;
  /** Which containers beside the application. */
  readonly beside?: object;
  /** What captures; the other ways say why they do not. */
  readonly works: (level: Level) => readonly Mode[];
}

const NOT_RESTRICTED = ['privileged', 'baseline'] as const;
const asRoot = (): readonly Mode[] => MODES;
const asUser = (level: Level): readonly Mode[] => (level === 'restricted' ? ['node'] : ['ephemeral', 'node']);

const ROWS: Readonly<Record<string, Row>> = {
  root: { levels: NOT_RESTRICTED, works: asRoot },
  'non-root': { levels: LEVELS, container: { securityContext: TAME }, works: asUser },
  'read-only': {
    levels: NOT_RESTRICTED,
    container: { securityContext: { readOnlyRootFilesystem: true } },
    works: asRoot,
  },
  'read-only-non-root': {
    levels: LEVELS,
    container: { securityContext: { ...TAME, readOnlyRootFilesystem: true } },
    works: asUser,
  },
  'no-shell': {
    levels: LEVELS,
    container: { image: PAUSE_IMAGE, command: undefined, securityContext: TAME },
    works: asUser,
  },
  several: { levels: LEVELS, container: { securityContext: TAME }, beside: { securityContext: TAME }, works: asUser },
  'small-memory': {
    levels: NOT_RESTRICTED,
    container: { resources: { limits: { memory: '64Mi' } } },
    works: asRoot,
  },
  'own-network-of-node': { levels: ['privileged'], pod: { hostNetwork: true }, works: () => ['node'] },
  static: { levels: ['privileged'], works: () => ['existing', 'upload', 'node'] },
};
const CASES = LEVELS.flatMap((level) =>
  Object.entries(ROWS)
    .filter(([, { levels }]) => levels.includes(level))
    .map(([name]) => [level, name] as const),
);

/** The pods with hostNetwork share the node's ports with whatever else is there. */
const PORT = 18_980;

function podOf(level: Level, name: string): object {
  const { pod, container, beside } = ROWS[name] ?? {};
  const command = ['busybox', 'httpd', '-f', '-p', String(PORT), '-h', '/'];
  const app = { name: 'app', image, command, ...container };
  const containers = [
    app,
    ...(beside === undefined ? [] : [{ name: 'beside', image, command: ['sleep', '86400'], ...beside }]),
  ];
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: place(level) }, spec: { ...pod, containers } };
}

const NODE = 'node1';
/** The kubelet names a static pod after its node. */
const podName = (row: string) => (row === 'static' ? `static-${NODE}` : row);
const STATIC_FILE = '/etc/kubernetes/manifests/ksnoop-rows.json';

beforeAll(async () => {
  on = await cluster();
  const probe = await buildProbeImage(console.error);
  await ensureImage(on, probe.tag, probe.path, console.error);
  image = probe.tag;
  const agent = await buildAgentImage({ newest: true }, console.error);
  await ensureImage(on, agent.tag, agent.path, console.error);
  agentImage = agent.tag;
  tcpdump = await staticTcpdump('amd64', cacheDirectory(), console.error);
  await on.nodeExec(NODE, ['rm', '-f', STATIC_FILE]);
  await on.kubectl('delete', 'namespace', ...LEVELS.map(place), '--ignore-not-found', '--timeout=300s');
  const namespaces = [...LEVELS.map(place), 'ksnoop'].map((name, index) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': LEVELS[index] ?? 'privileged' } },
  }));
  const client = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'client', namespace: place('privileged') },
    spec: { containers: [{ name: 'client', image, command: ['sleep', '86400'] }] },
  };
  const pods = CASES.filter(([, name]) => name !== 'static').map(([level, name]) => podOf(level, name));
  await applyText(on, [...namespaces, client, ...pods].map((object) => JSON.stringify(object)).join('\n---\n'));
  const manifest = JSON.stringify(podOf('privileged', 'static'));
  const script = `mkdir -p ${STATIC_FILE.replace(/\/[^/]*$/, '')} && printf %s "$1" >${STATIC_FILE}`;
  const written = await on.nodeExec(NODE, ['sh', '-c', script, 'sh', manifest]);
  expect(written.code, written.stderr).toBe(0);
  for (const [level, name] of CASES) {
    await ready(level, name);
    restartsBefore.set(`${level} ${name}`, await restarts(level, name));
  }
}, SETUP_MS);
afterEach(() => {
  for (const { child } of running.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await on?.nodeExec(NODE, ['rm', '-f', STATIC_FILE]);
  await on?.kubectl('delete', 'namespace', ...LEVELS.map(place), '--ignore-not-found', '--timeout=300s');
}, SETUP_MS);

/** Resolves once the pod is there and ready; a static pod appears some time after its file. */
async function ready(level: Level, name: string): Promise<void> {
  const deadline = Date.now() + SETUP_MS;
  const condition = ['--for=condition=Ready', '--timeout=60s'];
  for (;;) {
    const { code, stderr } = await on.kubectl('wait', '-n', place(level), ...condition, `pod/${podName(name)}`);
    if (code === 0) return;
    if (Date.now() > deadline) throw new Error(`${level} ${name}: ${stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function restarts(level: Level, name: string): Promise<string> {
  const path = '{.status.containerStatuses[*].restartCount}';
  return (await kubectl(on, 'get', 'pod', '-n', place(level), podName(name), '-o', `jsonpath=${path}`)).trim();
}

async function addressOf(level: Level, name: string): Promise<string> {
  return (await kubectl(on, 'get', 'pod', '-n', place(level), podName(name), '-o', 'jsonpath={.status.podIP}')).trim();
}

/** Ask the pod for a path; a refused connection is traffic, too. */
async function ask(address: string, path: string): Promise<void> {
  const command = ['busybox', 'wget', '-q', '-O', '-', `http://${address}:${PORT}/${path}`];
  await on.kubectl('exec', '-n', place('privileged'), 'client', '--', ...command);
}

function words(level: Level, name: string, mode: Mode): string[] {
  const needs: Readonly<Record<Mode, readonly string[]>> = {
    existing: [],
    ephemeral: ['--agentless-image', image],
    upload: ['--agentless-program', tcpdump],
    node: ['--agent-image', agentImage],
  };
  return ['-n', place(level), `pod/${podName(name)}`, `--agentless=${mode}`, ...needs[mode]];
}

async function linesOf(file: string, output: string): Promise<string> {
  const { stdout } = await new KsnoopProcess(['read', file, '-o', output], '/nowhere').finished();
  return stdout.toString();
}

/** Whether it captured a request to the pod; else what it said. */
async function captures(level: Level, name: string, mode: Mode): Promise<true | string> {
  const file = join(directory, `${level}-${name}-${mode}.pcapng`);
  const ksnoop = new KsnoopProcess([...words(level, name, mode), '-w', file], on.kubeconfig);
  running.push(ksnoop);
  const capturing = await ksnoop.capturing(1).then(
    () => true,
    (thrown: Error) => {
      if (ksnoop.child.exitCode === null) throw thrown;
      return false;
    },
  );
  if (capturing) {
    const address = await addressOf(level, name);
    // Nothing listens in a container without a shell: what is seen is the request for a connection.
    const [output, wanted] = name === 'no-shell' ? ['packets', `/${name}:${PORT}`] : ['text', `/asked-${mode}`];
    const seen = async () => {
      if (ksnoop.child.exitCode !== null) return `it ended: ${ksnoop.stderr}`;
      await ask(address, `asked-${mode}`);
      return linesOf(file, output);
    };
    await expect
      .poll(
        async () => {
          const lines = await seen();
          return lines.startsWith('it ended') || lines.includes(wanted) ? 'seen' : lines;
        },
        { timeout: HANG_MS, interval: 500 },
      )
      .toBe('seen');
  }
  const { code, stderr } = ksnoop.child.exitCode === null ? await ksnoop.stop() : await ksnoop.finished();
  return code === 0 ? true : stderr;
}

test.each(CASES)('%s: %s', async (level, name) => {
  const works = ROWS[name]?.works(level) ?? [];
  const outcomes = await Promise.all(MODES.map((mode) => captures(level, name, mode)));
  for (const outcome of outcomes) if (outcome !== true) console.error(`${level} ${name}: ${outcome.trim()}`);
  for (const [index, mode] of MODES.entries()) {
    const outcome = outcomes[index];
    if (works.includes(mode)) {
      expect(outcome, mode).toBe(true);
      continue;
    }
    expect(outcome, mode).toMatch(/\[(AGENTLESS_REFUSED|POD_WITHOUT_TCPDUMP|TCPDUMP_ENDED)\]/);
    expect(outcome, `${mode} names what to try`).toMatch(/--agentless=/);
    if (level === 'restricted' && mode === 'ephemeral') expect(outcome).toContain('restricted');
  }
  expect(await restarts(level, name)).toBe(restartsBefore.get(`${level} ${name}`));
});

test(`${RUNS} captures restart nothing, also of a pod with 64 MiB`, async () => {
  for (let run = 0; run < RUNS; run++) {
    const mode = run % 2 === 0 ? 'ephemeral' : 'upload';
    const both = [
      ...words('privileged', 'root', mode),
      'pod/small-memory',
      '--duration',
      '300ms',
      '-w',
      join(directory, 'run.pcapng'),
    ];
    const { code, stderr } = await new KsnoopProcess(both, on.kubeconfig).finished();
    expect(code, stderr).toBe(0);
    rmSync(join(directory, 'run.pcapng'));
  }
  for (const name of ['root', 'small-memory']) expect(await restarts('privileged', name)).toBe('0');
});
