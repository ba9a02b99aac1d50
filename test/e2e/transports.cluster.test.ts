// Both ways to an agent carry the same; port-forward takes up a session whose connection broke.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { isObject, optionalNumber, parseJson } from '../../src/wire/guard.ts';
import { relays } from '../support/agent-leftovers.ts';
import { behindProxy } from '../support/behind-proxy.ts';
import type { TestCluster } from '../support/cluster.ts';
import { HANG_MS } from '../support/hang.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { leftOf, processesOf } from '../support/marked-processes.ts';
import { ensureAgent, ensureShop, kubectl, requests, type ShopPod, shopPods } from '../support/shop.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-transports-'));
let on: TestCluster;
let pods: ShopPod[];

beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
  pods = await shopPods(on, 'web');
});
const running: KsnoopProcess[] = [];
afterEach(() => {
  for (const ksnoop of running.splice(0)) ksnoop.child.kill('SIGKILL');
});
afterAll(() => rmSync(directory, { recursive: true }));

const sessionsIn = (stderr: string) => [...stderr.matchAll(/session ([0-9a-f]{32})/g)].map((match) => match[1] ?? '');

/** A capture of both web pods into a file. */
async function capture(name: string, more: readonly string[], kubeconfig = on.kubeconfig) {
  const file = join(directory, `${name}.pcapng`);
  const targets = pods.map((pod) => `pod/${pod.name}`);
  const ksnoop = new KsnoopProcess(['-v', '-n', 'shop', ...targets, '-w', file, ...more], kubeconfig);
  running.push(ksnoop);
  await ksnoop.capturing(pods.length);
  // What the agents say of their sessions may come after that.
  await ksnoop.says(/session [0-9a-f]{32}/, new Set(pods.map(({ node }) => node)).size);
  return { ksnoop, file };
}

/** How often the web pods were asked in this run, by tshark, and how many of those packets are there twice. */
function asked(file: string, run: string): { requests: number; twice: number } {
  const addresses = pods.map(({ ip }) => ip);
  const fields = ['http.request.uri', 'ip.dst', 'ip.id', 'tcp.srcport', 'tcp.seq_raw'].flatMap((field) => [
    '-e',
    field,
  ]);
  const wanted = ['-Y', 'tcp.dstport == 8080 && http.request', '-T', 'fields', '-E', 'separator=|', ...fields];
  const output = execFileSync('tshark', ['-r', file, ...wanted], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const rows = output
    .split('\n')
    .filter((row) => row.includes(`run=${run}`) && addresses.includes(row.split('|')[1] ?? ''));
  return { requests: rows.length, twice: rows.length - new Set(rows).size };
}

/** Requests that go on for about `seconds`, made by the client on its own: no API server is needed meanwhile. */
async function longRun(run: string, seconds: number): Promise<() => Promise<{ answered: number }>> {
  const file = `/tmp/${run}`;
  const once = `requests --n 20 --url http://web/ --paths ok --run ${run} --concurrency 4`;
  const loop = `end=$(($(date +%s) + ${seconds})); while [ $(date +%s) -lt $end ]; do ${once}; done > ${file}; touch ${file}.done`;
  await kubectl(on, 'exec', '-n', 'shop', 'deploy/client', '--', 'sh', '-c', `(${loop}) > /dev/null 2>&1 &`);
  return async () => {
    for (;;) {
      const { code } = await on.kubectl('exec', '-n', 'shop', 'deploy/client', '--', 'cat', `${file}.done`);
      if (code === 0) break;
      await sleep(500);
    }
    const text = await kubectl(on, 'exec', '-n', 'shop', 'deploy/client', '--', 'cat', file);
    let answered = 0;
    for (const line of text.trim().split('\n')) {
      const report = parseJson(line, "client's report");
      answered += isObject(report) ? (optionalNumber(report, 'answered') ?? 0) : 0;
    }
    return { answered };
  };
}

test.each(['exec', 'port-forward'])('tshark counts over %s exactly what the client asked', async (transport) => {
  const run = `by${transport}${Date.now()}`;
  const { ksnoop, file } = await capture(`by-${transport}`, ['--transport', transport]);
  const [session = ''] = sessionsIn(ksnoop.stderr);
  const parents = processesOf(session).map(
    (pid) => /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1],
  );
  const verbs = parents.map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').at(-2));
  // The waiting agent has both; over exec a relay leads to it.
  expect(new Set(verbs)).toEqual(new Set(['idle']));
  expect(relays()).toHaveLength(transport === 'exec' ? new Set(pods.map(({ node }) => node)).size : 0);
  const { answered } = await requests(on, { n: 1000, run });
  const { code, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/ 0 dropped by kernel, 0 dropped by ksnoop, 0 truncated/);
  expect(answered).toBe(1000);
  expect(asked(file, run)).toEqual({ requests: 1000, twice: 0 });
  expect(await leftOf(sessionsIn(stderr))).toEqual([]);
  await expect.poll(relays, { timeout: HANG_MS }).toEqual([]);
});

test.each(['port-forward', 'exec'])(
  'the API server is killed and started again: %s loses nothing, and nothing comes twice',
  async (transport) => {
    if (!on.own) return;
    const run = `restart${Date.now()}`;
    const { ksnoop, file } = await capture(`restart-${transport}`, resuming(transport));
    const sessions = sessionsIn(ksnoop.stderr);
    const report = await longRun(run, 15);
    await sleep(2_000);
    await on.restartApiServer();
    await ksnoop.says(/the connection broke and was resumed/);
    const { answered } = await report();
    const { code, stderr } = await ksnoop.stop();
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain('GAP');
    expect(new Set(sessionsIn(stderr))).toEqual(new Set(sessions));
    expect(stderr).toMatch(/ 0 dropped by kernel, 0 dropped by ksnoop, 0 truncated/);
    expect(answered).toBeGreaterThan(0);
    expect(asked(file, run)).toEqual({ requests: answered, twice: 0 });
    expect(await leftOf(sessions)).toEqual([]);
  },
);

/** With more time to resume than a busy machine needs to start an API server. */
const resuming = (transport: string) => ['--transport', transport, '--resume-window', '2m'];

test.each(['cut', 'silent'])('the network to the API server is gone for 10 s (%s): nothing is missing', async (how) => {
  const run = `away${how}${Date.now()}`;
  const { kubeconfig, proxy, close } = await behindProxy(on);
  try {
    const { ksnoop, file } = await capture(`away-${how}`, resuming('port-forward'), kubeconfig);
    const report = await longRun(run, 15);
    await sleep(1_000);
    proxy.open = false;
    if (how === 'cut') proxy.cut();
    else proxy.freeze();
    await sleep(10_000);
    proxy.open = true;
    await ksnoop.says(/the connection broke and was resumed/);
    const { answered } = await report();
    const { code, stderr } = await ksnoop.stop();
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain('GAP');
    expect(asked(file, run)).toEqual({ requests: answered, twice: 0 });
  } finally {
    close();
  }
});

test('the network is gone for good: the agents end by themselves, and the gap is told', async () => {
  const { kubeconfig, proxy, close } = await behindProxy(on);
  const { ksnoop } = await capture('for-good', ['--transport', 'port-forward'], kubeconfig);
  const sessions = sessionsIn(ksnoop.stderr);
  proxy.open = false;
  proxy.cut();
  await ksnoop.says(/the stream from \S+ was lost/);
  expect(await leftOf(sessions)).toEqual([]);
  const { code, stderr } = await ksnoop.stop();
  close();
  expect(code, stderr).toBe(4);
  expect(stderr).toMatch(/GAP: no packets from \S+ from \S+ to the end/);
});

test('a client that was stopped for a minute finds its session gone: a new one, the gap said, exit code 4', async () => {
  const { ksnoop } = await capture('stopped', ['--transport', 'port-forward']);
  const sessions = sessionsIn(ksnoop.stderr);
  ksnoop.child.kill('SIGSTOP');
  const minute = sleep(60_000);
  expect(await leftOf(sessions)).toEqual([]);
  await minute;
  ksnoop.child.kill('SIGCONT');
  await ksnoop.recovers(1);
  const known = () => new Set(sessionsIn(ksnoop.stderr)).size;
  await expect.poll(known, { timeout: HANG_MS }).toBeGreaterThan(new Set(sessions).size);
  const { code, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(4);
  expect(stderr).toContain('GAP: no packets from');
  expect(new Set(sessionsIn(stderr)).size).toBeGreaterThan(sessions.length);
  expect(await leftOf(sessionsIn(stderr))).toEqual([]);
});

test('after SIGKILL of ksnoop nothing of it stays on a node', async () => {
  const { ksnoop } = await capture('killed', ['--transport', 'port-forward']);
  const sessions = sessionsIn(ksnoop.stderr);
  ksnoop.child.kill('SIGKILL');
  expect(await leftOf(sessions)).toEqual([]);
});
