// What breaks under a capture: a node's kubelet, its container runtime, the node itself.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestCluster } from '../support/cluster.ts';
import { type Finished, KsnoopProcess } from '../support/ksnoop-process.ts';
import { leftOf, sessionsIn } from '../support/marked-processes.ts';
import { ensureAgent, ensureShop, kubectl, requests, type ShopPod, shopPods } from '../support/shop.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-faults-'));
let on: TestCluster;
let web: readonly ShopPod[];

beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
  web = await shopPods(on, 'web');
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Two pods on two nodes, into a file. */
async function capture(name: string, ...flags: string[]) {
  // A kubelet that was restarted may take a minute until it probes the agents again.
  await kubectl(on, 'rollout', 'status', '-n', 'ksnoop', 'daemonset/ksnoop-agent', '--timeout=180s');
  const file = join(directory, `${name}.pcapng`);
  const args = ['-v', '-n', 'shop', ...web.map((pod) => `pod/${pod.name}`), '-w', file, ...flags];
  const ksnoop = new KsnoopProcess(args, on.kubeconfig);
  await ksnoop.capturing(web.length);
  return { ksnoop, file };
}

/** Requests with a mark of their own. @returns how many the client saw answered */
async function ask(run: string): Promise<number> {
  return (await requests(on, { n: 100, run, paths: 'ok' })).answered;
}

/** How often a mark is in a file: each request comes in at a web pod once. */
const seen = (file: string, run: string) => readFileSync(file, 'latin1').split(`run=${run}`).length - 1;

/** The exit code says whether there was a gap, and nothing stays behind. */
async function agrees({ code, stderr }: Finished): Promise<void> {
  expect(code, stderr).toBe(stderr.includes('GAP: no packets') ? 4 : 0);
  expect(await leftOf(sessionsIn(stderr))).toEqual([]);
}

test.each([
  ['kubelet', 'auto'],
  ['kubelet', 'exec'],
  ['containerd', 'auto'],
  ['containerd', 'exec'],
] as const)("a capture goes on when a node's %s is killed and restarted, over %s", async (part, transport) => {
  if (!on.own) return;
  const { ksnoop, file } = await capture(`${part}-${transport}`, '--transport', transport);
  await on.restartPart(web[0]?.node ?? '', part);
  // Whatever breaks has broken by then. When it is back, requests are made to every pod, on both nodes.
  await sleep(12_000);
  await ksnoop.recovers(0);
  const run = `${part}${transport}${Date.now()}`;
  const answered = await ask(run);
  const finished = await ksnoop.stop();
  expect(answered).toBe(100);
  expect(seen(file, run)).toBeGreaterThanOrEqual(answered);
  await agrees(finished);
});

test('when a node is killed the others go on, and the summary says what is missing', async () => {
  if (!on.own) return;
  web = await shopPods(on, 'web');
  const clients = await shopPods(on, 'client');
  const kept = web.find(({ node }) => clients.some((client) => client.node === node));
  const client = clients.find(({ node }) => node === kept?.node);
  const killed = web.find(({ node }) => node !== kept?.node);
  if (client === undefined || kept === undefined || killed === undefined) throw new Error('the shop is on one node');
  const { ksnoop, file } = await capture('node-killed');
  try {
    await on.killNode(killed.node);
    await ksnoop.says(/the stream from \S+ was lost/);
    const run = `killed${Date.now()}`;
    // From and to the node that is left; whom that asks in turn may be on the other one, so not all are answered.
    const [url, pod] = [`http://${kept.ip}:8080/`, `pod/${client.name}`];
    const report = await requests(on, { n: 16, run, paths: 'ok', url, pod, concurrency: 16 });
    const { code, stderr } = await ksnoop.stop();
    expect(code, stderr).toBe(4);
    expect(stderr).toMatch(new RegExp(`GAP: no packets from ${killed.node} from \\S+ to the end`));
    expect(seen(file, run)).toBeGreaterThanOrEqual(report.sent);
    expect(await leftOf(sessionsIn(stderr))).toEqual([]);
  } finally {
    ksnoop.child.kill('SIGKILL');
    await on.bringUp();
    await ensureShop();
    await ensureAgent();
  }
});
