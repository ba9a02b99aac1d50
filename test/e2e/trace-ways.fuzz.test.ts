// The ways on which Kubernetes leads a request to a pod, on a real cluster whose nodes have kube-proxy in different modes: each request is
// one trace, from the client to the pod that has answered it by its own log, with and without segmentation offload.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TraceRecord } from '../../src/analyze/trace/record.ts';
import { isObject, type JsonObject, parseJson } from '../../src/wire/guard.ts';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { applyText, ensureAgent, ensureShop, kubectl } from '../support/shop.ts';

/** Images may have to be built first. */
const SETTING_UP_MS = 600_000;
const NAMESPACE = 'ksnoop-ways';
const REQUESTS = 30;
const NODES = ['node1', 'node2'];
const WEBS = ['web-1', 'web-2'];
const NODE_PORT = { cluster: 30_931, local: 30_932 };
/** Answers with many segments, and logs each request. */
const SERVER = `require('node:http').createServer((request, response) => {
  console.log(request.url);
  response.end('x'.repeat(100_000));
}).listen(8080, '::');
process.on('SIGTERM', () => process.exit(0));`;
const CLIENT = join(import.meta.dirname, '../cluster/workloads/programs/requests.mjs');

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-ways-'));
let on: TestCluster | undefined;

interface Way {
  readonly name: string;
  /** The pod that makes the requests, or the node from whose own network they are made. */
  readonly from: string;
  readonly url: string;
  /** The pods that may answer. */
  readonly to: readonly string[];
}

let ways: readonly Way[] = [];

beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
  const image = await kubectl(on, 'get', '-n', 'shop', 'deploy/api', '-o', 'jsonpath={..containers[0].image}');
  const web = { app: 'web' };
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    ...NODES.flatMap((node, index) => [
      pod(`web-${index + 1}`, 'web', node, image, ['/usr/bin/node', '-e', SERVER]),
      pod(`client-${index + 1}`, 'client', node, image, ['/usr/bin/transfer', 'serve', '5300']),
      service(`self-${index + 1}`, { pod: `web-${index + 1}` }),
    ]),
    service('web', web),
    service('headless', web, { clusterIP: 'None' }),
    service('everywhere', web, { type: 'NodePort' }, NODE_PORT.cluster),
    service('local', web, { type: 'NodePort', externalTrafficPolicy: 'Local' }, NODE_PORT.local),
  ];
  await applyText(on, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  await kubectl(on, 'wait', '-n', NAMESPACE, '--for=condition=Ready', 'pod', '--all', '--timeout=300s');
  const addresses = await kubectl(on, 'get', 'nodes', ...NODES, '-o', 'jsonpath={..addresses[0].address}');
  ways = waysTo(addresses.split(' '));
  // Endpoints of a Service are there a moment after its pods.
  const deadline = Date.now() + 120_000;
  for (const way of ways) {
    while ((await answered(on, way, 4, 'warm')) !== 4) {
      if (Date.now() > deadline) throw new Error(`${way.name}: not all requests are answered`);
      await sleep(200);
    }
  }
}, SETTING_UP_MS);
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await on?.kubectl('delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait=false');
}, SETTING_UP_MS);

/**
 * NodePorts with the policy Local are called from a node's own network: kube-proxy sends pods to any endpoint and keeps their address, so
 * that the answer of a pod on the client's own node passes the other node by, and is no answer to the client.
 */
function waysTo([node1 = '', node2 = '']: readonly string[]): Way[] {
  const named = (name: string) => `http://${name}.${NAMESPACE}.svc.cluster.local`;
  const cluster = (node: string) => `http://${node}:${NODE_PORT.cluster}`;
  const local = (node: string) => `http://${node}:${NODE_PORT.local}`;
  return [
    { name: 'Service, from node1', from: 'client-1', url: named('web'), to: WEBS },
    { name: 'Service, from node2', from: 'client-2', url: named('web'), to: WEBS },
    { name: 'headless Service', from: 'client-1', url: `${named('headless')}:8080`, to: WEBS },
    { name: 'NodePort, Cluster, other node (nftables)', from: 'client-1', url: cluster(node2), to: WEBS },
    { name: 'NodePort, Cluster, other node (iptables)', from: 'client-2', url: cluster(node1), to: WEBS },
    { name: 'NodePort, Cluster, own node', from: 'client-2', url: cluster(node2), to: WEBS },
    { name: 'NodePort, Local, other node (nftables)', from: 'node1', url: local(node2), to: ['web-2'] },
    { name: 'NodePort, Local, other node (iptables)', from: 'node2', url: local(node1), to: ['web-1'] },
    { name: 'NodePort, Local, own node', from: 'client-1', url: local(node1), to: WEBS },
    { name: 'hairpin on node1', from: 'web-1', url: named('self-1'), to: ['web-1'] },
    { name: 'hairpin on node2', from: 'web-2', url: named('self-2'), to: ['web-2'] },
    { name: 'a pod to itself', from: 'web-1', url: 'http://127.0.0.1:8080', to: ['web-1'] },
  ];
}

function pod(name: string, app: string, nodeName: string, image: string, command: readonly string[]): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: NAMESPACE, name, labels: { app, pod: name } },
    spec: { nodeName, terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image, command }] },
  };
}

function service(name: string, selector: JsonObject, more: JsonObject = {}, nodePort?: number): JsonObject {
  const ports = [{ port: 80, targetPort: 8080, ...(nodePort !== undefined && { nodePort }) }];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: NAMESPACE, name },
    spec: { selector, ports, ...more },
  };
}

async function answered(cluster: TestCluster, { from, url, to }: Way, n: number, run: string): Promise<number> {
  // A pod that calls itself may make a call because of any request that it is answering: only one at a time is unambiguous.
  const atOnce = to.length === 1 && to[0] === from ? 1 : 4;
  const words = [
    '--n',
    String(n),
    '--url',
    `${url}/`,
    '--paths',
    'page',
    '--run',
    run,
    '--concurrency',
    String(atOnce),
  ];
  const { stdout } = NODES.includes(from)
    ? await cluster.nodeExec(from, [process.execPath, CLIENT, ...words])
    : await cluster.kubectl('exec', '-n', NAMESPACE, from, '--', 'requests', ...words);
  const report = parseJson(stdout.trim() || '{}', 'report');
  return isObject(report) ? Number(report.answered) : 0;
}

const placeOf = (from: string) => (NODES.includes(from) ? from : `${NAMESPACE}/${from}`);
const numberOf = (text: string) => /[?&]n=(\d+)/.exec(text)?.[1] ?? '';

async function setOffload(cluster: TestCluster, offload: 'on' | 'off'): Promise<void> {
  const features = ['tso', 'gso', 'gro'].map((name) => `${name} ${offload}`).join(' ');
  const names = `ip -o link | sed 's/^[0-9]*: \\([^:@]*\\).*/\\1/' | grep -E '^(eth0|cni0|veth)'`;
  const script = `for d in $(${names}); do ethtool -K $d ${features} || exit 1; done`;
  for (const node of NODES) {
    const { code, stderr } = await cluster.nodeExec(node, ['sh', '-c', script]);
    expect(code, stderr).toBe(0);
  }
}

/** Which pod has answered which request, by the logs of the pods: `run n` → pods. */
async function answeredBy(cluster: TestCluster, run: string): Promise<Map<string, string>> {
  const pods = new Map<string, string>();
  for (const name of WEBS) {
    const log = await kubectl(cluster, 'logs', '-n', NAMESPACE, name);
    for (const line of log.split('\n')) if (line.includes(`run=${run}&`)) pods.set(numberOf(line), name);
  }
  return pods;
}

/** What is wrong with the traces of one way's requests. */
function faults(way: Way, traces: readonly TraceRecord[], pods: ReadonlyMap<string, string>): string[] {
  const wrong: string[] = [];
  const numbers = new Set(traces.map(({ label }) => numberOf(label)));
  if (traces.length !== REQUESTS) wrong.push(`${traces.length} traces of ${REQUESTS} requests`);
  if (numbers.size !== REQUESTS) wrong.push(`${numbers.size} different requests`);
  if (pods.size !== REQUESTS) wrong.push(`the pods have logged ${pods.size}`);
  for (const { label, hops, total } of traces) {
    const n = numberOf(label);
    const server = pods.get(n) ?? '?';
    const last = hops.find(({ kind }) => kind === 'server');
    const route = hops.map(({ kind, from, to, confidence }) => `${kind} ${from} ${to ?? ''} ${confidence}`).join('; ');
    if (!way.to.includes(server)) wrong.push(`${n}: ${server} has answered`);
    if (last?.from !== `${NAMESPACE}/${server}`) wrong.push(`${n}: ends at ${last?.from}, not at ${server}: ${route}`);
    if (hops[0]?.from !== placeOf(way.from)) wrong.push(`${n}: begins at ${hops[0]?.from}: ${route}`);
    if (hops.reduce((sum, { latency }) => sum + latency, 0) !== total) wrong.push(`${n}: parts do not add up`);
    if (hops.some(({ label: of, confidence }) => confidence === 'proven' && of !== label))
      wrong.push(`${n}: proven, and wrong: ${route}`);
    if (hops.some(({ lost }) => lost.length > 0)) wrong.push(`${n}: lost, where nothing was: ${route}`);
  }
  return wrong;
}

test.each(['on', 'off'] as const)(
  'each request of each way is one trace to the pod that answered, offload %s',
  async (offload) => {
    if (on?.own !== true) return;
    const cluster = on;
    const file = join(directory, `${offload}.pcapng`);
    const targets = [...WEBS, 'client-1', 'client-2'].map((name) => `pod/${name}`);
    await setOffload(cluster, offload);
    try {
      const ksnoop = new KsnoopProcess(
        ['-n', NAMESPACE, ...targets, ...NODES.map((name) => `node/${name}`), '-w', file],
        cluster.kubeconfig,
      );
      await ksnoop.capturing(targets.length + NODES.length);
      for (const [index, way] of ways.entries()) {
        expect(await answered(cluster, way, REQUESTS, `${offload}-${index}`), way.name).toBe(REQUESTS);
      }
      const ended = await ksnoop.stop();
      expect(ended.code, ended.stderr).toBe(0);
      expect(ended.stderr).toMatch(/ 0 dropped by kernel, 0 dropped by ksnoop/);
    } finally {
      await setOffload(cluster, 'on');
    }
    const { stdout } = await new KsnoopProcess(['trace', file, '--json'], '/nowhere').finished();
    const lines = stdout.toString().split('\n');
    const wrong: string[] = [];
    for (const [index, way] of ways.entries()) {
      const run = `${offload}-${index}`;
      const own = lines.filter((line) => line.includes(`run=${run}&`)).map((line) => JSON.parse(line) as TraceRecord);
      const found = faults(way, own, await answeredBy(cluster, run));
      const routes = Map.groupBy(own, ({ hops }) =>
        hops.map(({ from }) => from.replace(`${NAMESPACE}/`, '')).join(' > '),
      );
      console.error(
        `${way.name}: ${own.length} traces, ${found.length} faults; ${[...routes].map(([route, of]) => `${of.length} × ${route}`).join('; ')}`,
      );
      wrong.push(...found.map((fault) => `${way.name}: ${fault}`));
    }
    expect(wrong).toEqual([]);
  },
);
