import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BLOCK } from '../../src/wire/pcapng.ts';
import { BlockFramer } from '../../src/wire/pcapng-read.ts';
import type { TestCluster } from '../support/cluster.ts';
import { KSNOOP, KsnoopProcess } from '../support/ksnoop-process.ts';
import { leftOf, processesOf, sessionsIn } from '../support/marked-processes.ts';
import { ensureAgent, ensureShop, kubectl, requests, type ShopPod, shopPods } from '../support/shop.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-endings-'));
let on: TestCluster;

beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Captures of these pods over exec, told in detail, into a file; what is resumed is in transports.cluster.test.ts. */
async function capture(pods: readonly ShopPod[], name: string): Promise<KsnoopProcess & { file: string }> {
  const file = join(directory, `${name}.pcapng`);
  const targets = pods.map((pod) => `pod/${pod.name}`);
  const ksnoop = new KsnoopProcess(['-v', '-n', 'shop', ...targets, '--transport', 'exec', '-w', file], on.kubeconfig);
  await ksnoop.capturing(pods.length);
  // What the agents say of their sessions may come after that.
  const nodes = new Set(pods.map(({ node }) => node)).size;
  await ksnoop.says(/session [0-9a-f]{32}/, nodes);
  return Object.assign(ksnoop, { file });
}

const webPods = () => shopPods(on, 'web');
const lookAtWeb = (n: number) => requests(on, { n, run: `endings${Date.now()}`, paths: 'ok' });

/** Whether a file is a whole pcapng of ksnoop: no block cut, the end marker last. */
function whole(file: string): boolean {
  let last = 0;
  const framer = new BlockFramer(({ type }) => {
    last = type;
  });
  framer.push(readFileSync(file));
  return framer.pending === 0 && last === BLOCK.ksnoopEnd;
}

test('a reader that closes early is a normal end, and nothing stays behind', async () => {
  const [pod] = await webPods();
  // The sessions are told on stderr, which the shell leaves to us.
  const line = '"$0" "$@" | head -c 100000 | wc -c; echo "code $PIPESTATUS"';
  const shell = spawn('bash', ['-c', line, ...KSNOOP, '-v', '-n', 'shop', `pod/${pod?.name}`], {
    env: { ...process.env, KUBECONFIG: on.kubeconfig },
  });
  let stdout = '';
  let stderr = '';
  shell.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  shell.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const closed = once(shell, 'close');
  while (!stderr.includes('capturing shop/')) await sleep(20);
  const load = requests(on, { n: 400, run: 'head', paths: 'ok' });
  await closed;
  expect(stdout.trim().split('\n'), stderr).toEqual(['100000', 'code 0']);
  expect(stderr).toMatch(/packets captured/);
  expect(await leftOf(sessionsIn(stderr))).toEqual([]);
  await load;
});

test('after SIGKILL of ksnoop nothing of it stays on a node', async () => {
  const pods = await webPods();
  const ksnoop = await capture(pods, 'killed');
  const sessions = sessionsIn(ksnoop.stderr);
  expect(sessions).toHaveLength(2);
  expect(sessions.flatMap(processesOf)).not.toEqual([]);
  ksnoop.child.kill('SIGKILL');
  expect(await leftOf(sessions)).toEqual([]);
});

test('a target that is deleted is told of, the others go on, and the last one ends the capture', async () => {
  const pods = await webPods();
  const [first, second] = pods;
  const ksnoop = await capture(pods, 'deleted');
  const sessions = sessionsIn(ksnoop.stderr);
  await lookAtWeb(50);
  await kubectl(on, 'delete', 'pod', '-n', 'shop', `${first?.name}`, '--wait=false');
  await ksnoop.says(new RegExp(`${first?.name} is gone`));
  expect(ksnoop.child.exitCode).toBe(null);
  await kubectl(on, 'delete', 'pod', '-n', 'shop', `${second?.name}`, '--wait=false');
  const { code, stderr } = await ksnoop.finished();
  expect(code, stderr).toBe(0);
  expect(stderr).toContain(`${second?.name} is gone`);
  expect(stderr).not.toContain('GAP');
  expect(whole(ksnoop.file)).toBe(true);
  expect(await leftOf(sessions)).toEqual([]);
  await kubectl(on, 'rollout', 'status', '-n', 'shop', 'deployment/web', '--timeout=300s');
});

/** A capture of which `fault` ends an agent in the middle: it goes on, and the gap is told. */
async function resumes(name: string, fault: (ksnoop: KsnoopProcess, pods: readonly ShopPod[]) => Promise<void>) {
  const pods = await webPods();
  const ksnoop = await capture(pods, name);
  await lookAtWeb(50);
  await fault(ksnoop, pods);
  await ksnoop.recovers(1);
  const run = `back${name}`;
  const { answered } = await requests(on, { n: 100, run, paths: 'ok' });
  const { code, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(4);
  expect(stderr).toMatch(/GAP: no packets from \S+ from \S+ for /);
  expect(whole(ksnoop.file)).toBe(true);
  expect(readFileSync(ksnoop.file, 'latin1').split(`run=${run}`).length - 1).toBeGreaterThanOrEqual(answered);
  expect(await leftOf(sessionsIn(stderr))).toEqual([]);
  return stderr;
}

test('a capture goes on when an agent is killed', async () => {
  await resumes('agent-killed', async (ksnoop) => {
    const [session = ''] = sessionsIn(ksnoop.stderr);
    const [tcpdump] = processesOf(session);
    const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${tcpdump}/status`, 'utf8'))?.[1];
    expect(readFileSync(`/proc/${parent}/cmdline`, 'utf8')).toContain('idle');
    process.kill(Number(parent), 'SIGKILL');
    expect(await leftOf([session])).toEqual([]);
  });
});

test("a capture goes on when an agent's pod is deleted", async () => {
  await resumes('agent-deleted', async (_, [pod]) => {
    const node = `spec.nodeName=${pod?.node}`;
    await kubectl(on, 'delete', 'pod', '-n', 'ksnoop', '--field-selector', node, '--wait=false');
  });
});
