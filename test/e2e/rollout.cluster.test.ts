// Pods that come and go while they are captured: a rollout under load, and a Deployment scaled up, to zero and back.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestCluster } from '../support/cluster.ts';
import { HANG_MS } from '../support/hang.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { leftOf, sessionsIn } from '../support/marked-processes.ts';
import { applyText, ensureAgent, ensureShop, kubectl, requests, shopPods } from '../support/shop.ts';

/** One of its own for every run: the last one's may still be on its way out. */
const NAMESPACE = `ksnoop-herd-${process.pid}`;
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-rollout-'));
let on: TestCluster;

beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await on.kubectl('delete', 'namespace', NAMESPACE, '--wait=false', '--ignore-not-found');
});

/** Fields of the packets that a display filter takes, one array for each packet. */
function tshark(file: string, filter: string, ...fields: string[]): string[][] {
  const wanted = fields.flatMap((field) => ['-e', field]);
  const output = execFileSync('tshark', ['-r', file, '-Y', filter, '-T', 'fields', '-E', 'separator=|', ...wanted], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return output.split('\n').flatMap((line) => (line === '' ? [] : [line.split('|')]));
}

/** The pods' own lines of the closing summary: what is said of each in parentheses. */
function said(stderr: string, pod: string): string | undefined {
  return new RegExp(`^ksnoop: {3}shop/${pod}: .*\\((.*)\\)$`, 'm').exec(stderr)?.[1];
}

test('a rollout under load: every answered request is in the file, every pod that came and went in the summary', async () => {
  const file = join(directory, 'rollout.pcapng');
  const before = await shopPods(on, 'web');
  const ksnoop = new KsnoopProcess(['-v', 'svc/web', '-n', 'shop', '-w', file], on.kubeconfig);
  await ksnoop.capturing(before.length);
  const run = `rollout${Date.now()}`;
  // A slow answer now and then, so that the load lasts as long as the rollout.
  const paths = [...Array(19).fill('ok'), 'slow'].join();
  const load = requests(on, { n: 5_000, run, paths, concurrency: 8 });
  // Each of the pods that will go has had some of the load by then.
  const asked = () => readFileSync(file, 'latin1').split(`run=${run}`).length;
  await expect.poll(asked, { timeout: HANG_MS }).toBeGreaterThan(100);
  await kubectl(on, 'rollout', 'restart', '-n', 'shop', 'deployment/web');
  await kubectl(on, 'rollout', 'status', '-n', 'shop', 'deployment/web', '--timeout=300s');
  const report = await load;
  // For the new pods, where the rollout took longer than the load.
  const late = await requests(on, { n: 200, run: `${run}late`, paths: 'ok' });
  for (const { name } of before) await ksnoop.says(new RegExp(`shop/${name} is gone`));
  const after = await shopPods(on, 'web');
  const { code, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(0);
  expect(report.sent).toBe(5_000);
  const mark = `http.request && tcp.dstport == 8080 && http.request.uri contains "run=${run}"`;
  const seen = tshark(file, mark, 'http.request.uri', 'frame.interface_name');
  const numbers = new Set(seen.map(([uri = '']) => uri));
  expect(numbers.size).toBeGreaterThanOrEqual(report.answered + late.answered);
  expect(numbers.size).toBeLessThanOrEqual(5_200);
  expect(report.answered).toBeGreaterThan(4_500);
  const pods = [...before, ...after].map(({ name }) => name);
  expect(new Set(pods).size).toBe(4);
  expect([...new Set(seen.map(([, name]) => name))].sort()).toEqual(pods.map((name) => `shop/${name}/any`).sort());
  for (const { name } of before) expect(said(stderr, name)).toMatch(/^gone \d\d:\d\d:\d\d$/);
  for (const { name } of after) expect(said(stderr, name)).toMatch(/^joined \d\d:\d\d:\d\d$/);
  expect(stderr).toMatch(/ 0 dropped by kernel, 0 dropped by ksnoop, 0 truncated$/m);
  expect(stderr).not.toContain('GAP');
  expect(await leftOf(sessionsIn(stderr))).toEqual([]);
});

/** What a pod of the herd prints once its request was answered. */
const ASKED = 'request-answered';

/** Until every pod of the herd has made its request. */
async function herdHasAsked(): Promise<void> {
  const logs = ['logs', '-n', NAMESPACE, '-l', 'app=herd', '--tail=5', '--max-log-requests=60'];
  await expect
    .poll(async () => (await on.kubectl(...logs)).stdout.split(ASKED).length - 1, { timeout: HANG_MS, interval: 1_000 })
    .toBe(50);
}

/** Pods that make one request each, by their own name, some seconds after their start. */
async function makeHerd(replicas: number, run: string): Promise<void> {
  const path = 'jsonpath={.spec.template.spec.containers[0].image}';
  const image = await kubectl(on, 'get', 'deployment/client', '-n', 'shop', '-o', path);
  const labels = { app: 'herd' };
  const ask = `curl -s -o /dev/null "http://web.shop/ok?run=${run}&pod=$(hostname)"`;
  const script = `sleep 10; until ${ask}; do sleep 1; done; echo ${ASKED}; exec sleep 3600`;
  const herd = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'herd', namespace: NAMESPACE },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'main', image, command: ['/bin/sh', '-c', script] }],
        },
      },
    },
  };
  await applyText(on, JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }));
  await applyText(on, JSON.stringify(herd));
  await kubectl(on, 'rollout', 'status', '-n', NAMESPACE, 'deployment/herd', '--timeout=300s');
}

async function herdNames(): Promise<string[]> {
  const path = 'jsonpath={.items[*].metadata.name}';
  return (await kubectl(on, 'get', 'pods', '-n', NAMESPACE, '-l', 'app=herd', '-o', path)).split(' ').sort();
}

const scale = (replicas: number) => kubectl(on, 'scale', '-n', NAMESPACE, 'deployment/herd', `--replicas=${replicas}`);

test('50 pods scaled to none and back: each joins in time for its one request, each that went is named', async () => {
  const file = join(directory, 'herd.pcapng');
  const run = `herd${Date.now()}`;
  await makeHerd(50, run);
  await herdHasAsked();
  const before = await herdNames();
  expect(before).toHaveLength(50);
  const ksnoop = new KsnoopProcess(['-v', 'deploy/herd', '-n', NAMESPACE, '-w', file], on.kubeconfig);
  await ksnoop.capturing(50);
  await scale(0);
  await kubectl(on, 'wait', '-n', NAMESPACE, '--for=delete', 'pod', '-l', 'app=herd', '--timeout=300s');
  await sleep(3_000);
  expect(ksnoop.child.exitCode).toBe(null);
  await scale(50);
  await kubectl(on, 'rollout', 'status', '-n', NAMESPACE, 'deployment/herd', '--timeout=300s');
  const after = await herdNames();
  await herdHasAsked();
  const { code, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(0);
  const mark = `http.request.uri contains "run=${run}"`;
  const seen = tshark(file, mark, 'frame.interface_name', 'http.request.uri');
  const expected = after.map((name) => `${NAMESPACE}/${name}/any ${name}`);
  const asked = new Set(seen.map(([name, uri]) => `${name} ${uri?.split('pod=')[1]}`));
  expect([...asked].sort()).toEqual(expected.sort());
  const summary = [...stderr.matchAll(/^ksnoop: {3}ksnoop-herd-\d+\/(\S+): .*\((gone|joined) /gm)];
  expect(summary.map(([, name, what]) => `${name} ${what}`).sort()).toEqual(
    [...before.map((name) => `${name} gone`), ...after.map((name) => `${name} joined`)].sort(),
  );
  // So many comings and goings are not told one by one.
  expect(stderr.match(/which joined|is gone$/gm)?.length).toBeLessThan(100);
  expect(stderr).toMatch(/more targets joined/);
  expect(await leftOf(sessionsIn(stderr))).toEqual([]);
});
