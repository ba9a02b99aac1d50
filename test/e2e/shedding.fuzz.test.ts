// An agent that gets too little of the processor for what it has to analyse: it takes a sample, ksnoop says so, and it ends. On our own
// cluster, whose nodes are this machine: the processor's quota of the agent's pod is set in its cgroup for the length of the test.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isObject, objectAt, objectsAt, optionalNumber, optionalString, parseJson } from '../../src/wire/guard.ts';
import { buildShopImage } from '../cluster/workloads/image.ts';
import type { TestCluster } from '../support/cluster.ts';
import { HANG_MS } from '../support/hang.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { applyText, ensureAgent, ensureShop, kubectl } from '../support/shop.ts';

const namespace = `shedding-${Date.now().toString(36)}`;
/** Requests that were not left out, after the agent had caught up. */
const AFTER = 200;
/** What the agent's pod may have of a processor while it is to fall behind: so many percent. */
const PERCENT = 4;

let on: TestCluster;
const started: KsnoopProcess[] = [];

/** Answers each request with a few bytes, many in one segment: little work for it, and much for those who analyse it. */
const SERVER = `
require('node:net').createServer((socket) => {
  let rest = '';
  socket.on('error', () => {});
  socket.on('data', (data) => {
    const parts = (rest + data.toString('latin1')).split('\\r\\n\\r\\n');
    rest = parts.pop();
    socket.write('HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nok'.repeat(parts.length));
  });
}).listen(8080);
process.on('SIGTERM', () => process.exit(0));
`;

/** Connections that send some requests at once, wait for all answers, and go on; at the end prints how many were answered. */
const CLIENT = `
const [ip, path, connections, each, rounds, gap] = process.argv.slice(1).map((word, at) => (at < 2 ? word : Number(word)));
const { connect } = require('node:net');
let answered = 0;
const text = ('GET ' + path + ' HTTP/1.1\\r\\nhost: flood\\r\\n\\r\\n').repeat(each);
const one = () => new Promise((resolve, reject) => {
  const socket = connect(8080, ip);
  let open = 0;
  let round = 0;
  const send = () => {
    if (round === rounds) return socket.end();
    round += 1;
    open = each;
    socket.write(text);
  };
  socket.on('connect', send);
  socket.on('error', reject);
  socket.on('close', resolve);
  let rest = '';
  socket.on('data', (data) => {
    const parts = (rest + data.toString('latin1')).split('\\r\\n\\r\\nok');
    rest = parts.pop();
    answered += parts.length;
    open -= parts.length;
    if (open === 0) setTimeout(send, gap);
  });
});
Promise.all(Array.from({ length: connections }, one)).then(() => console.log(answered));
`;

beforeAll(async () => {
  on = await ensureShop();
  const { tag: image } = await buildShopImage(() => {});
  const pod = (name: string, command: readonly string[]) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image, command }] },
  });
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    pod('server', ['/usr/bin/node', '-e', SERVER]),
    pod('client', ['/usr/bin/node', '-e', 'setInterval(() => {}, 1e6); process.on("SIGTERM", () => process.exit(0))']),
  ];
  await applyText(on, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  await kubectl(on, 'wait', '--for=condition=Ready', 'pod/server', 'pod/client', '-n', namespace, '--timeout=300s');
  await ensureAgent();
}, 1_200_000);

afterAll(async () => {
  for (const { child } of started) child.kill('SIGKILL');
  await kubectl(on, 'delete', 'namespace', namespace, '--wait=false');
}, 1_200_000);

interface Flood {
  readonly path: string;
  readonly connections: number;
  /** Requests in one segment, and how often each connection sends them, with a pause, ms. */
  readonly each: number;
  readonly rounds: number;
  readonly gap: number;
}

/** Have the client send requests. @returns how many were answered */
async function flood(ip: string, { path, connections, each, rounds, gap }: Flood): Promise<number> {
  const words = [ip, path, connections, each, rounds, gap].map(String);
  const text = await kubectl(on, 'exec', '-n', namespace, 'client', '--', '/usr/bin/node', '-e', CLIENT, ...words);
  return Number(text);
}

interface Agent {
  readonly node: string;
  readonly uid: string;
  readonly restarts: number;
}

async function agentOf(node: string): Promise<Agent> {
  const select = ['-l', 'app.kubernetes.io/name=ksnoop-agent', '--field-selector', `spec.nodeName=${node}`];
  const list = parseJson(await kubectl(on, 'get', 'pods', '-n', 'ksnoop', ...select, '-o', 'json'), 'pods');
  const [pod = {}] = isObject(list) ? objectsAt(list, 'items') : [];
  const [status = {}] = objectsAt(objectAt(pod, 'status'), 'containerStatuses');
  const uid = optionalString(objectAt(pod, 'metadata'), 'uid') ?? '';
  return { node, uid, restarts: optionalNumber(status, 'restartCount') ?? 0 };
}

/** The pod's share of a processor, in version 1 and 2 of the cgroup. @param percent undefined: as much as there is */
async function allow({ uid }: Agent, percent: number | undefined): Promise<void> {
  const find = `find /sys/fs/cgroup -type d -name '*pod${uid.replaceAll('-', '[-_]')}*'`;
  const [quota, maximum] = percent === undefined ? [-1, 'max 100000'] : [percent * 1000, `${percent * 1000} 100000`];
  const set = `test -e $d/cpu.cfs_quota_us && echo ${quota} > $d/cpu.cfs_quota_us && echo set; test -e $d/cpu.max && echo ${maximum} > $d/cpu.max && echo set`;
  const { stdout } = await promisify(execFile)('sh', ['-c', `for d in $(${find}); do ${set}; done; true`]);
  expect(stdout).toContain('set');
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + HANG_MS * 3;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${HANG_MS * 3} ms`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

test('an agent that gets too little processor analyses a sample, which is reported, is in the counts, and ends', async () => {
  const server = parseJson(await kubectl(on, 'get', 'pod', 'server', '-n', namespace, '-o', 'json'), 'a pod');
  if (!isObject(server)) throw new Error('there is no server');
  const ip = optionalString(objectAt(server, 'status'), 'podIP') ?? '';
  const node = optionalString(objectAt(server, 'spec'), 'nodeName') ?? '';
  const agent = await agentOf(node);
  const words = ['-n', namespace, 'pod/server', '-o', 'summary', '--json', '--edge', '-v'];
  const ksnoop = new KsnoopProcess(words, on.kubeconfig);
  started.push(ksnoop);
  await ksnoop.capturing(1);
  const behind = new RegExp(`A SAMPLE: ${node} cannot keep up and analyses 1 of (\\d+) connections`, 'g');
  let sent = 0;
  await allow(agent, PERCENT);
  try {
    await until('the agent falls behind', async () => {
      sent += await flood(ip, { path: '/flood', connections: 64, each: 20, rounds: 60, gap: 0 });
      return behind.test(ksnoop.stderr);
    });
  } finally {
    await allow(agent, undefined);
  }
  // A little traffic shows that it takes more again, step by step.
  await until('the agent catches up', async () => {
    sent += await flood(ip, { path: '/flood', connections: 4, each: 2, rounds: 20, gap: 50 });
    return ksnoop.stderr.includes(`${node} has caught up: all connections are analysed again`);
  });
  expect(await flood(ip, { path: '/after', connections: AFTER, each: 1, rounds: 1, gap: 0 })).toBe(AFTER);
  const { stdout, stderr } = await ksnoop.stop();
  const summary = parseJson(stdout.toString(), 'a summary');
  if (!isObject(summary)) throw new Error(`no summary: ${stderr}`);
  const sample = objectAt(summary, 'sample');
  expect(sample, stderr).toMatchObject({
    share: expect.any(Number),
    since: expect.any(String),
    until: expect.any(String),
    nodes: [node],
  });
  expect(Number(sample.share)).toBeGreaterThan(0);
  expect(Number(sample.share)).toBeLessThan(1);
  expect(stderr).toMatch(
    /A SAMPLE: agents analysed [\d,]+ packets and could not keep up with [\d,]+ more from \S+ to \S+;/,
  );
  const counted = (route: string) =>
    objectsAt(summary, 'routes')
      .filter((row) => row.route === route)
      .reduce((sum, row) => sum + (optionalNumber(row, 'count') ?? 0), 0);
  expect(counted('GET /flood')).toBeGreaterThan(0);
  expect(counted('GET /flood')).toBeLessThan(sent);
  // What came after it had caught up is all there.
  expect(counted('GET /after')).toBe(AFTER);
  // It was neither killed for its memory nor started again.
  expect(await agentOf(node)).toEqual(agent);
  console.info(
    `${sent} requests, ${counted('GET /flood')} counted; ${JSON.stringify(sample)}\n${stderr.match(/^.*(?:SAMPLE|caught up).*$/gm)?.join('\n')}`,
  );
}, 1_200_000);
