// Minutes of the shop analysed on its nodes while agents are killed: each request counts once at the most, what is missing is in a gap.
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { isObject, objectAt, optionalNumber, optionalString, parseJson } from '../../src/wire/guard.ts';
import { waitingAgents } from '../support/agent-leftovers.ts';
import type { TestCluster } from '../support/cluster.ts';
import { HANG_MS } from '../support/hang.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { Random } from '../support/random.ts';
import { type Served, servedRequests } from '../support/served-requests.ts';
import { settled } from '../support/settled.ts';
import { ensureAgent, ensureShop, kubectl, type ShopPod, shopPods } from '../support/shop.ts';
import { gapsIn, type StatedGap } from '../support/stated-gaps.ts';

/** Minutes of load; 0 skips it. */
const MINUTES = Number(process.env.KSNOOP_EDGE_KILLED_MINUTES ?? 10);
const SEED = Number(process.env.KSNOOP_CHAOS_SEED ?? Math.floor(Date.now() / 1000));
/** Between two kills, and how long a kubelet is stopped, at most. */
const PAUSE_MS = 30_000;
const LASTS_MS = 8_000;
/** What ends a request's record after its response: the log's time is nginx's, the gap's is the client's. Seconds. */
const AROUND_SECONDS = 3;
/** Workers of each client: connections with many requests, and with one. Each sends a request, and pauses. */
const LOADS = [
  { name: 'kept', flags: '--keep-alive', concurrency: 4, pauseMs: 250 },
  { name: 'short', flags: '', concurrency: 2, pauseMs: 250 },
] as const;
type Load = (typeof LOADS)[number];
interface Ground {
  readonly on: TestCluster;
  readonly random: Random;
}

const FAULTS: Readonly<Record<string, (ground: Ground, node: string) => Promise<unknown>>> = {
  'agent killed': async (_ground, node) => {
    for (const pid of waitingAgents(node)) process.kill(Number(pid), 'SIGKILL');
  },
  'agent deleted': ({ on }, node) =>
    kubectl(
      on,
      ...['delete', 'pod', '-n', 'ksnoop', '-l', 'app.kubernetes.io/name=ksnoop-agent'],
      ...['--field-selector', `spec.nodeName=${node}`, '--wait=false', '--grace-period=0', '--force'],
    ),
  'kubelet stopped': ({ on, random }, node) => on.restartPart(node, 'kubelet', random.below(LASTS_MS)),
};

/** Begins the load in a client, without a connection to it. @returns a function that waits for its end: how many requests were answered */
async function beginLoad(on: TestCluster, client: ShopPod, load: Load, run: string): Promise<() => Promise<number>> {
  const file = `/tmp/${run}`;
  const { concurrency, pauseMs, flags } = load;
  const command = `requests --n 1000000 --seconds ${MINUTES * 60} --run ${run} --paths ok --concurrency ${concurrency} --pause ${pauseMs} ${flags}`;
  const inClient = (script: string) => on.kubectl('exec', '-n', 'shop', client.name, '--', 'sh', '-c', script);
  const { code, stderr } = await inClient(
    `(${command} > ${file}.part; mv ${file}.part ${file}) > /dev/null 2>&1 < /dev/null &`,
  );
  expect(code, stderr).toBe(0);
  return async () => {
    const deadline = Date.now() + MINUTES * 60_000 + HANG_MS;
    for (;;) {
      const report = await inClient(`cat ${file}`);
      // An exec that a kubelet's end cuts may end with 0, and without output.
      if (report.code === 0 && report.stdout.endsWith('\n')) {
        const counts = parseJson(report.stdout, 'the report of a client');
        return (isObject(counts) && optionalNumber(counts, 'answered')) || 0;
      }
      if (Date.now() > deadline) throw new Error(`the load ${run} does not end: ${report.stderr}`);
      await sleep(500);
    }
  };
}

async function killThings(ground: Ground, nodes: readonly string[], whileRunning: () => boolean): Promise<string[]> {
  const names = Object.keys(FAULTS);
  const done: string[] = [];
  const first = [...names];
  while (whileRunning()) {
    await sleep(5_000 + ground.random.below(PAUSE_MS - 5_000));
    if (!whileRunning()) break;
    const [name = ''] =
      first.length > 0
        ? first.splice(ground.random.below(first.length), 1)
        : [names[ground.random.below(names.length)]];
    const node = nodes[ground.random.below(nodes.length)] ?? '';
    const line = `${new Date().toISOString()} ${name}, ${node}`;
    console.error(line);
    done.push(line);
    await FAULTS[name]?.(ground, node);
  }
  return done;
}

/** The records that count, of the requests of one run that `app` sent, by their path. */
async function counted(file: string, run: string, app: string): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (!line.includes(`run=${run}`)) continue;
    const record = parseJson(line, 'a record');
    if (!isObject(record) || record.kind !== 'exchange' || record.sameAs !== undefined) continue;
    if (!String(objectAt(record, 'src').pod).startsWith(`${app}-`)) continue;
    const label = optionalString(record, 'label')?.replace(/^GET /, '') ?? '';
    const lines = found.get(label);
    if (lines === undefined) found.set(label, [line]);
    else lines.push(line);
  }
  return found;
}

test(`${MINUTES} minutes of requests analysed on the nodes while agents are killed (seed ${SEED}): each counts once at the most, and what is missing is in a stated gap`, {
  timeout: MINUTES * 60_000 + 1_800_000,
}, async ({ skip }) => {
  if (MINUTES === 0) skip();
  const on = await ensureShop();
  if (!on.own) skip();
  await ensureAgent();
  await settled(on);
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-edge-killed-'));
  const [web, clients, api] = await Promise.all(['web', 'client', 'api'].map((app) => shopPods(on, app)));
  if (web === undefined || clients === undefined || api === undefined) throw new Error('the shop is not whole');
  const nodes = [...new Set(web.map(({ node }) => node))];
  const file = join(directory, 'records');
  const targets = ['deploy/web', 'deploy/client', 'deploy/api'];
  const ksnoop = new KsnoopProcess(['-v', '-n', 'shop', ...targets, '-o', 'json', '--edge'], on.kubeconfig, file);
  try {
    await ksnoop.capturing(web.length + clients.length + api.length);
    const run = `killed${Date.now()}`;
    const waits: (() => Promise<number>)[] = [];
    for (const [index, client] of clients.entries()) {
      for (const load of LOADS) waits.push(await beginLoad(on, client, load, `${run}-${index}${load.name}`));
    }
    let isRunning = true;
    const over = Promise.all(waits.map((wait) => wait())).finally(() => {
      isRunning = false;
    });
    const [kills, answered] = await Promise.all([
      killThings({ on, random: new Random(SEED) }, nodes, () => isRunning),
      over,
    ]);
    await settled(on);
    await ksnoop.recovers(0);
    const { code, stderr } = await ksnoop.stop();
    const gaps = gapsIn(stderr);
    expect(gaps.length, stderr).toBeGreaterThan(0);
    expect(code, stderr).toBe(4);
    expect(stderr).not.toMatch(/left out|A SAMPLE/);
    const truth = await servedRequests(on, web, run);
    expect(truth.size).toBeGreaterThanOrEqual(answered.reduce((sum, each) => sum + each, 0));
    expect(truth.size).toBeGreaterThan(60 * MINUTES);
    const report = await Promise.all(
      ['client', 'web'].map(async (app) => {
        const found = await counted(file, run, app);
        return { app, found, ...judged(truth, found, gaps) };
      }),
    );
    for (const { app, found, missing, unstated, twice } of report) {
      console.error(
        `requests of ${app}: ${found.size} of ${truth.size} counted, ${missing.length} missing, ${unstated.length} of them outside of ${gaps.length} gaps, ${twice.length} twice; ${kills.length} kills`,
      );
    }
    console.error(gaps.map(({ node, from, until }) => `${node} ${(until - from).toFixed(1)} s`).join(', '));
    for (const { twice, unstated } of report) {
      expect(twice.slice(0, 3)).toEqual([]);
      expect(unstated.slice(0, 5), stderr).toEqual([]);
    }
    // Most of it: where an agent is lost, the other node's has seen the request too.
    for (const { found } of report) expect(found.size).toBeGreaterThan(truth.size / 4);
    for (const { found } of report) for (const label of found.keys()) expect(truth.has(label), label).toBe(true);
  } finally {
    ksnoop.child.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  }
});

/** Holds the records of requests against the log of those that were served. */
function judged(
  truth: ReadonlyMap<string, Served>,
  found: ReadonlyMap<string, readonly string[]>,
  gaps: readonly StatedGap[],
) {
  const missing = [...truth].filter(([label]) => !found.has(label));
  // A request passes the nodes of both its pods; which node counts it is the analysis's choice.
  const isStated = ({ seconds }: Served) =>
    gaps.some(({ from, until }) => seconds > from - AROUND_SECONDS && seconds < until + AROUND_SECONDS);
  const unstated = missing
    .filter(([, each]) => !isStated(each))
    .map(([label, { seconds, pod }]) => `${label} ${new Date(seconds * 1000).toISOString()} ${pod.name} ${pod.node}`);
  const twice = [...found].filter(([, lines]) => lines.length > 1).map(([, lines]) => lines.join('\n'));
  return { missing, unstated, twice };
}
