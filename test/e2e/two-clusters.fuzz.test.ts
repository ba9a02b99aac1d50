// Two clusters with the same pod, Service and node addresses: every name is of the right one, and one API server that is killed costs the other nothing.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type JsonObject, objectAt, parseJson, requireObject } from '../../src/wire/guard.ts';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { joinedKubeconfig, type SecondCluster, secondCluster } from '../support/second-cluster.ts';
import { ensureAgent, ensureShop, requests, type ShopPod, shopPods } from '../support/shop.ts';

const SETUP_MS = 1_800_000;
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-two-clusters-'));
let second: SecondCluster;
let east: TestCluster;
let west: TestCluster;
let kubeconfig: string;

beforeAll(async () => {
  east = await ensureShop();
  await ensureAgent();
  second = await secondCluster();
  west = second.on;
  kubeconfig = joinedKubeconfig(join(directory, 'kubeconfig'), { east, west });
}, SETUP_MS);
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await second?.end();
}, SETUP_MS);

async function start(file: string): Promise<KsnoopProcess> {
  const words = ['--context', 'east,west', '-n', 'shop', 'svc/web', '-f', 'tcp port 8080', '-w', file];
  const capture = new KsnoopProcess(words, kubeconfig);
  for (const [name, on] of Object.entries({ east, west })) {
    await capture.says(new RegExp(`capturing ${name}/shop/web-`), (await shopPods(on, 'web')).length);
  }
  return capture;
}

/** The requests of clients to web in a file, by the run that their path names. */
async function requestsIn(file: string, run: string): Promise<JsonObject[]> {
  const { stdout } = await new KsnoopProcess(['read', file, '-o', 'json'], '/nowhere').finished();
  return stdout
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => requireObject(parseJson(line, 'record'), 'record'))
    .filter((record) => String(objectAt(record, 'http').path).includes(`run=${run}`))
    .filter((record) => String(objectAt(record, 'dst').pod).startsWith('web-'));
}

function expectNames(records: readonly JsonObject[], cluster: string, clients: ShopPod[], servers: ShopPod[]): void {
  const names = (pods: ShopPod[]) => pods.map(({ name }) => name);
  for (const record of records) {
    const [src, dst] = [objectAt(record, 'src'), objectAt(record, 'dst')];
    expect([src.cluster, dst.cluster]).toEqual([cluster, cluster]);
    expect(names(clients)).toContain(src.pod);
    expect(names(servers)).toContain(dst.pod);
    expect(servers.find(({ name }) => name === dst.pod)?.ip).toBe(dst.ip);
  }
}

test('the same addresses have the names of their own cluster, in every request', async () => {
  const pods = { east: await allPods(east), west: await allPods(west) };
  const shared = pods.east.filter(({ ip, name }) => pods.west.some((other) => other.ip === ip && other.name !== name));
  expect(shared.length, 'the clusters share no pod address').toBeGreaterThan(0);
  const file = join(directory, 'both.pcapng');
  const capture = await start(file);
  const sent = { east: 150, west: 200 };
  await Promise.all([
    requests(east, { n: sent.east, run: 'in-east', paths: 'ok', concurrency: 3 }),
    requests(west, { n: sent.west, run: 'in-west', paths: 'ok', concurrency: 3 }),
  ]);
  const { code, stderr } = await capture.stop();
  expect(code, stderr).toBe(0);
  for (const [name, on] of [
    ['east', east],
    ['west', west],
  ] as const) {
    const records = await requestsIn(file, `in-${name}`);
    expect(records).toHaveLength(sent[name]);
    expectNames(records, name, await shopPods(on, 'client'), await shopPods(on, 'web'));
  }
});

test('an API server that is killed costs the other cluster no request', async () => {
  const file = join(directory, 'killed.pcapng');
  const capture = await start(file);
  const killed = west.restartApiServer();
  const n = 2_000;
  await requests(east, { n, run: 'beside', paths: 'ok', concurrency: 4 });
  await killed;
  await capture.says(/changes of the targets are followed again/);
  const again = await requests(east, { n: 50, run: 'after', paths: 'ok' });
  expect(again.answered).toBe(50);
  const { stderr } = await capture.stop();
  expect(stderr).not.toMatch(/stream from east\S* was lost/);
  const records = await requestsIn(file, 'beside');
  expect(records).toHaveLength(n);
  expectNames(records, 'east', await shopPods(east, 'client'), await shopPods(east, 'web'));
  expect(await requestsIn(file, 'after')).toHaveLength(50);
});

async function allPods(on: TestCluster): Promise<ShopPod[]> {
  const apps = ['cache', 'api', 'web', 'client', 'edge'];
  return (await Promise.all(apps.map((app) => shopPods(on, app)))).flat();
}
