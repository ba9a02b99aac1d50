// The controller that leads is cut off from the API server, as a network does it: packets are dropped in its pod's network namespace, and no
// connection is reset. A recording and a tenant's live capture go on meanwhile. Nodes must be entered, so it runs on a cluster of our own only.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { find } from '../../src/capture/kube/api.ts';
import { loadKube } from '../../src/capture/kube/config.ts';
import type { Kube } from '../../src/capture/kube/kube.ts';
import { resourcePath } from '../../src/capture/kube/resource.ts';
import { CAPTURE_API } from '../../src/capture/tenant/capture-object.ts';
import { isObject, type JsonObject, objectAt, objectsAt, parseJson } from '../../src/wire/guard.ts';
import { cluster, type TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensureAgent, ensureShop, ksnoop, kubectl, requests } from '../support/shop.ts';

const { own } = await cluster();
const STATE = { timeout: 240_000, interval: 250 };
/** Events of an earlier run may still be there. */
const NAME = `cut-${Date.now().toString(36)}`;
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-partition-'));
const { signal } = new AbortController();
let on: TestCluster;
let kube: Kube;
/** Runs of ten requests that were made. */
const runs: string[] = [];

/** The pod of a controller, and one of its processes as its node numbers it. */
interface Replica {
  readonly pod: string;
  readonly node: string;
  readonly process: string;
}

beforeAll(async () => {
  on = await ensureShop();
  kube = await loadKube({ kubeconfig: on.kubeconfig });
  await ensureAgent(undefined, undefined, '--captures');
  await kubectl(on, 'rollout', 'status', '-n', 'ksnoop', 'deployment/ksnoop-controller', '--timeout=240s');
}, 900_000);
afterAll(async () => {
  await on.kubectl('delete', 'capture', '-n', 'shop', '--all');
  const removed = await ksnoop(on, 'uninstall');
  if (removed.code !== 0) throw new Error(removed.stderr);
  await ensureAgent();
  kube.close();
  rmSync(directory, { recursive: true });
}, 900_000);

async function json(...words: string[]): Promise<JsonObject> {
  const value = parseJson(await kubectl(on, ...words, '-o', 'json'), words.join(' '));
  return isObject(value) ? value : {};
}

async function traffic(run: string): Promise<void> {
  expect((await requests(on, { n: 10, run, paths: 'ok', url: 'http://api/' })).answered).toBe(10);
  runs.push(run);
}

/** Requests without a pause, until they are stopped. @returns stops them, after the run that is on its way */
function trafficAlways(): () => Promise<void> {
  let isStopped = false;
  const running = (async () => {
    while (!isStopped) {
      await traffic(`r${runs.length}x`);
      await sleep(200);
    }
  })();
  return () => {
    isStopped = true;
    return running;
  };
}

/** Much quicker than kubectl: it is asked often. */
async function objectOf(version: string, namespace: string, ...words: [string, string]): Promise<JsonObject> {
  return (await find(kube, resourcePath(version, namespace, ...words), signal)) ?? {};
}

async function holder(): Promise<string> {
  const lease = await objectOf('coordination.k8s.io/v1', 'ksnoop', 'leases', 'ksnoop-controller');
  return String(objectAt(lease, 'spec').holderIdentity);
}

/** Waits until another replica than this one leads. @returns its identity */
async function nextHolder(before: string): Promise<string> {
  let now = before;
  await vi.waitFor(async () => {
    now = await holder();
    expect([before, '']).not.toContain(now);
  }, STATE);
  return now;
}

/** @param identity as the Lease has it: `POD_RANDOM` */
async function replicaOf(identity: string): Promise<Replica> {
  const [pod = ''] = identity.split('_');
  const object = await json('get', 'pod', '-n', 'ksnoop', pod);
  const node = String(objectAt(object, 'spec').nodeName);
  const uid = String(objectAt(object, 'metadata').uid).replaceAll('-', '[-_]');
  const script = `for p in $(pgrep -f ksnoop-controller); do grep -q "${uid}" /proc/$p/cgroup && echo $p; done`;
  const { stdout } = await on.nodeExec(node, ['sh', '-c', script]);
  const [process = ''] = stdout.trim().split('\n');
  expect(process).toMatch(/^\d+$/);
  return { pod, node, process };
}

/** All that a replica sends and receives is dropped, until it is healed. */
async function cut({ node, process }: Replica): Promise<void> {
  const chains = ['input', 'output'].map(
    (hook) => `nft 'add chain inet cut ${hook} { type filter hook ${hook} priority 0; policy drop; }'`,
  );
  const script = ['nft add table inet cut', ...chains].join(' && ');
  const { code, stderr } = await on.nodeExec(node, ['nsenter', '-t', process, '-n', 'sh', '-c', script]);
  expect([code, stderr]).toEqual([0, '']);
}

async function heal({ node, process }: Replica): Promise<void> {
  const { code } = await on.nodeExec(node, ['nsenter', '-t', process, '-n', 'nft', 'delete table inet cut']);
  expect(code).toBe(0);
}

const logOf = ({ pod }: Replica) => kubectl(on, 'logs', '-n', 'ksnoop', pod);
const timesIn = (log: string, words: string) => log.split(words).length - 1;

async function status(): Promise<JsonObject> {
  return objectAt(await objectOf(CAPTURE_API, 'shop', 'captures', NAME), 'status');
}

/** Waits until the recording's status has packets that it did not have. */
async function grows(): Promise<void> {
  const packets = async () => Number(objectAt(await status(), 'counters').packets);
  const before = await packets();
  await vi.waitFor(async () => expect(await packets()).toBeGreaterThan(before), STATE);
}

function tshark(...words: string[]): string[] {
  return execFileSync('tshark', words, { encoding: 'utf8', stdio: 'pipe' }).split('\n');
}

/** How often each run's requests are in a file. */
function requestsIn(file: string): Map<string, number> {
  const uris = tshark('-n', '-r', file, '-Y', 'http.request', '-T', 'fields', '-e', 'http.request.uri');
  const counts = new Map<string, number>();
  for (const uri of uris) {
    const run = /run=(\w+)/.exec(uri)?.[1];
    if (run !== undefined) counts.set(run, (counts.get(run) ?? 0) + 1);
  }
  return counts;
}

/** Data that one end has acknowledged and that is in no packet of the file. */
function lostIn(file: string): string[] {
  const lines = tshark('-n', '-r', file, '-Y', 'tcp.analysis.ack_lost_segment or tcp.analysis.lost_segment');
  return lines.filter((line) => line !== '');
}

const seconds = (since: number) => ((performance.now() - since) / 1000).toFixed(1);

test.skipIf(!own)(
  'a leader that is cut off is followed; recordings and live captures go on, with every packet, and nothing twice',
  async () => {
    const words = ['record', 'svc/api', 'deploy/client', '-n', 'shop', '--name', NAME, '--duration', '30m'];
    const recorded = await ksnoop(on, ...words);
    expect([recorded.code, recorded.stderr]).toEqual([0, recorded.stderr]);
    const live = join(directory, 'live.pcapng');
    const capture = new KsnoopProcess(
      ['svc/api', 'deploy/client', '-n', 'shop', '--as-tenant', '-w', live],
      on.kubeconfig,
    );
    await capture.capturing(3);
    const pods = Number(objectAt(await status(), 'targets').wanted);
    const stopTraffic = trafficAlways();

    const leader = await holder();
    const first = await replicaOf(leader);
    const began = performance.now();
    await cut(first);
    const next = await nextHolder(leader);
    process.stdout.write(`another controller leads ${seconds(began)} s after the cut\n`);
    await grows();
    process.stdout.write(`the status has new counts of the agents after ${seconds(began)} s\n`);
    const second = await replicaOf(next);
    expect(second.node).not.toBe(first.node);
    // The other one has stopped by itself.
    await vi.waitFor(async () => expect(await logOf(first)).toContain('the Lease was lost'), STATE);
    // Longer than a ticket is valid: those of the live capture are the next leader's by now.
    await sleep(60_000);

    await heal(first);
    await sleep(15_000);
    expect(await holder()).toBe(next);
    expect(timesIn(await logOf(first), 'elected:')).toBe(1);
    expect(timesIn(await logOf(second), 'elected:')).toBe(1);
    // It follows: when the other one is cut off, it leads again.
    const again = performance.now();
    await cut(second);
    expect(await nextHolder(next)).toBe(leader);
    process.stdout.write(`the first one leads again ${seconds(again)} s after the second cut\n`);
    await grows();
    await heal(second);
    await stopTraffic();

    const stopped = await ksnoop(on, 'stop', `capture/${NAME}`, '-n', 'shop');
    expect([stopped.code, stopped.stderr]).toEqual([0, stopped.stderr]);
    await vi.waitFor(async () => expect((await status()).phase).toBe('Complete'), STATE);
    const ended = await capture.stop();
    expect([ended.code, ended.stderr]).toEqual([0, ended.stderr]);
    const whole = await status();
    process.stdout.write(`${JSON.stringify(objectAt(whole, 'counters'))}\n`);
    expect(objectAt(whole, 'counters').dropped).toBe(0);
    expect(objectsAt(whole, 'conditions').find(({ type }) => type === 'Degraded')).toMatchObject({ status: 'False' });
    expect(objectsAt(whole, 'nodes').map(({ node }) => node)).toEqual(['node1', 'node2']);

    const file = join(directory, 'recorded.pcapng');
    const got = await ksnoop(on, 'get', `capture/${NAME}`, '-n', 'shop', '-w', file);
    expect([got.code, got.stderr]).toEqual([0, got.stderr]);
    expect(runs.length).toBeGreaterThan(10);
    // Each request at both ends of its connection.
    const wanted = new Map(runs.map((run) => [run, 20]));
    for (const each of [file, live]) {
      expect(requestsIn(each)).toEqual(wanted);
      expect(lostIn(each)).toEqual([]);
    }
    // What was there before the recording and all the time has its name.
    const hosts = new Set(tshark('-N', 'n', '-r', file, '-Y', 'http.request', '-T', 'fields', '-e', 'ip.dst_host'));
    expect([...hosts]).toContain('api.shop');
    const events = objectsAt(await json('get', 'events', '-n', 'shop'), 'items').filter(
      ({ reason, message }) => String(reason).startsWith('Capture') && String(message).includes(`Capture ${NAME}`),
    );
    const ofPods = events.map(
      ({ reason, involvedObject }) => `${reason} ${isObject(involvedObject) && involvedObject.name}`,
    );
    process.stdout.write(`${runs.length * 10} requests; ${ofPods.length} events of pods\n`);
    expect(ofPods.length).toBe(new Set(ofPods).size);
    expect(pods).toBeGreaterThan(2);
    expect(ofPods.filter((event) => event.startsWith('CaptureStarted'))).toHaveLength(pods);
  },
  900_000,
);
