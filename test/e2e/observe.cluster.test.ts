// Requests to a Service as metrics and spans of OpenTelemetry: from this machine, and from a Deployment in the cluster with its own permissions.
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump, loadAll } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DESCRIPTION } from '../../daemonset/image/description.ts';
import { isObject, type JsonObject, objectAt, objectsAt, parseJson, requireObject } from '../../src/wire/guard.ts';
import { builtAgentImage } from '../support/agent-image.ts';
import type { TestCluster } from '../support/cluster.ts';
import { HANG_MS } from '../support/hang.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { applyText, ensureAgent, ensureShop, kubectl, requests, shopPods } from '../support/shop.ts';

const ROOT = join(import.meta.dirname, '../..');
const NAMESPACE = 'ksnoop-observe';
/** Of the test of traces. */
const REQUESTS = 40;
/** On the machine's file system, which the nodes of the test cluster see. */
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-observe-'));
let on: TestCluster;

beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
});
afterAll(async () => {
  await on.kubectl('delete', 'namespace', NAMESPACE, '--wait=false', '--ignore-not-found');
  for (const namespace of ['ksnoop', 'shop']) {
    await on.kubectl('delete', 'role,rolebinding', NAMESPACE, '-n', namespace, '--ignore-not-found');
  }
  await on.kubectl('delete', 'clusterrole,clusterrolebinding', NAMESPACE, '--ignore-not-found');
  rmSync(directory, { recursive: true });
});

/** A message of OTLP: what it is of, and the resources in it. */
interface Message {
  readonly path: string;
  readonly body: unknown;
}

/** Attributes of OTLP/JSON. */
function attributes(of: JsonObject): Record<string, unknown> {
  return Object.fromEntries(
    objectsAt(of, 'attributes').map(({ key, value }) => [String(key), isObject(value) ? Object.values(value)[0] : '']),
  );
}

/** Requests of HTTP by status code that the latest metrics count for Service web: cumulative, so the last message has all. */
function served(messages: readonly Message[]): Record<string, number> {
  const counts: Record<string, number> = {};
  const last = messages.findLast(({ path }) => path.endsWith('/v1/metrics'));
  for (const of of objectsAt(requireObject(last?.body ?? {}, 'metrics'), 'resourceMetrics')) {
    const { 'service.name': name, 'service.namespace': namespace } = attributes(objectAt(of, 'resource'));
    if (name !== 'web' || namespace !== 'shop') continue;
    for (const metric of objectsAt(of, 'scopeMetrics').flatMap((scope) => objectsAt(scope, 'metrics'))) {
      if (metric.name !== 'http.server.request.duration') continue;
      for (const point of objectsAt(objectAt(metric, 'exponentialHistogram'), 'dataPoints')) {
        const { 'http.response.status_code': status, 'ksnoop.probe': probe } = attributes(point);
        if (probe === undefined) counts[String(status)] = (counts[String(status)] ?? 0) + Number(point.count);
      }
    }
  }
  return counts;
}

/** Spans of servers, by their pods. */
function spans(messages: readonly Message[]): { readonly pod: unknown; readonly span: JsonObject }[] {
  return messages
    .filter(({ path }) => path.endsWith('/v1/traces'))
    .flatMap(({ body }) => objectsAt(requireObject(body, 'traces'), 'resourceSpans'))
    .flatMap((of) => {
      const pod = attributes(objectAt(of, 'resource'))['k8s.pod.name'];
      return objectsAt(of, 'scopeSpans').flatMap((scope) => objectsAt(scope, 'spans').map((span) => ({ pod, span })));
    });
}

test('every request of a client is in the metrics and a span, with the names of the pods', async () => {
  const receiver = new OtlpReceiver();
  const url = await receiver.listen();
  const web = await shopPods(on, 'web');
  const observe = new KsnoopProcess(
    ['observe', 'svc/web', '-n', 'shop', '--otlp', url, '--interval', '1s', '--prometheus-listen', '127.0.0.1:0', '-v'],
    on.kubeconfig,
  );
  try {
    await observe.capturing(web.length);
    const { answered, status } = await requests(on, { n: 300, run: `observe${Date.now()}` });
    expect(answered).toBe(300);
    // Metrics come while the capture goes on.
    await expect.poll(() => total(served(receiver.received)), { timeout: HANG_MS }).toBe(300);
    // Whoever scrapes gets the same.
    const [, port = ''] = /scrape http:\/\/127\.0\.0\.1:(\d+)\/metrics/.exec(observe.stderr) ?? [];
    await expect.poll(() => scraped(port), { timeout: HANG_MS }).toBe(300);
    const { code, stderr } = await observe.stop();
    expect(code, stderr).toBe(0);
    expect(served(receiver.received)).toEqual(status);
    const all = spans(receiver.received).filter(({ pod }) => web.some(({ name }) => name === pod));
    expect(all.length).toBeGreaterThanOrEqual(300);
    expect(new Set(all.map(({ pod }) => pod)).size).toBe(web.length);
    expect(stderr).toMatch(/exported [\d,]+ data points, [\d,]+ spans/);
  } finally {
    observe.child.kill('SIGKILL');
    receiver.close();
  }
});

/** Makes requests one after the other, each with an id of its own, in the client's pod. argv: how many, run. Prints the ids. */
const WITH_IDS = `
const [count, run] = process.argv.slice(1);
const ids = [];
for (let n = 0; n < Number(count); n += 1) {
  ids.push(crypto.randomUUID());
  const response = await fetch('http://web/ok?run=' + run + '&n=' + n, { headers: { 'x-request-id': ids[n] } });
  if (response.status !== 200) throw new Error('status ' + response.status);
  await response.text();
}
console.log(JSON.stringify(ids));
`;

test('what web asks of api for a request is below that request, in the trace that its id names', async () => {
  const receiver = new OtlpReceiver();
  const url = await receiver.listen();
  const web = await shopPods(on, 'web');
  const targets = ['svc/web', '-n', 'shop', '--otlp', url, '--signals', 'traces'];
  const observe = new KsnoopProcess(['observe', ...targets, '-v'], on.kubeconfig);
  try {
    await observe.capturing(web.length);
    const run = `joined${Date.now()}`;
    const words = ['exec', '-n', 'shop', 'deploy/client', '--', 'node', '--input-type=module', '-e', WITH_IDS];
    const ids = JSON.parse(await kubectl(on, ...words, String(REQUESTS), run)) as string[];
    const { code, stderr } = await observe.stop();
    expect(code, stderr).toBe(0);
    const own = spans(receiver.received).filter(({ span }) => String(attributes(span)['url.query']).includes(run));
    const traceOf = (id: string) => createHash('sha256').update(`x-request-id\n${id}`).digest('hex').slice(0, 32);
    expect(own).toHaveLength(2 * REQUESTS);
    for (const [n, id] of ids.entries()) {
      const of = own.filter(({ span }) => /&n=(\d+)/.exec(String(attributes(span)['url.query']))?.[1] === String(n));
      expect(of.map(({ span }) => span.traceId)).toEqual([traceOf(id), traceOf(id)]);
      const [outer, inner] = of[0]?.span.parentSpanId === undefined ? of : of.toReversed();
      expect(inner?.span.parentSpanId).toBe(outer?.span.spanId);
      expect(outer?.span.parentSpanId).toBeUndefined();
      expect(web.map(({ name }) => name)).toContain(outer?.pod);
      expect(attributes(inner?.span ?? {})['server.address']).toBe('api.shop');
    }
  } finally {
    observe.child.kill('SIGKILL');
    receiver.close();
  }
});

/** Requests to Service web that Prometheus would count. */
async function scraped(port: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const counts = text
    .split('\n')
    .filter((line) => line.startsWith('http_server_request_duration_seconds_count{job="shop/web"'))
    .filter((line) => !line.includes('ksnoop_probe'));
  return counts.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** A receiver in the cluster: it writes every message as a line. */
const RECEIVER = `
import { createServer } from 'node:http';
import { gunzipSync } from 'node:zlib';
createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    console.log(JSON.stringify({ path: request.url, body: JSON.parse(gunzipSync(Buffer.concat(chunks)).toString()) }));
    response.end('{}');
  });
}).listen(4318);
process.on('SIGTERM', () => process.exit(0));
`;

/** The documented Deployment with the image of the agents, which has Node, and this build of ksnoop; and a receiver. */
function manifests(tag: string): string {
  const objects = loadAll(readFileSync(join(ROOT, 'docs/kubernetes/observe.yaml'), 'utf8'));
  const tool = { name: 'tool', hostPath: { path: directory } };
  const mounted = { volumeMounts: [{ name: 'tool', mountPath: '/tool', readOnly: true }], image: tag };
  const changed = objects.map((object) => {
    const manifest = requireObject(object, 'observe.yaml');
    // Volumes of the node, for this build, are not for restricted pods.
    if (manifest.kind === 'Namespace') return { ...manifest, metadata: { name: NAMESPACE } };
    if (manifest.kind !== 'Deployment') return manifest;
    const spec = objectAt(manifest, 'spec');
    const template = objectAt(spec, 'template');
    const pod = objectAt(template, 'spec');
    const container = objectsAt(pod, 'containers')[0] ?? {};
    const words = (Array.isArray(container.command) ? container.command.map(String) : []).slice(1);
    const command = [DESCRIPTION.nodePath, '/tool/bin/ksnoop.mjs', ...words.slice(0, -1), 'http://receiver:4318'];
    const containers = [{ ...container, ...mounted, command: [...command, '--interval', '1s'] }];
    return { ...manifest, spec: { ...spec, template: { ...template, spec: { ...pod, volumes: [tool], containers } } } };
  });
  const labels = { app: 'receiver' };
  const containers = [{ name: 'receiver', ...mounted, command: [DESCRIPTION.nodePath, '/tool/receiver.mjs'] }];
  const metadata = { name: 'receiver', namespace: NAMESPACE, labels };
  const receiver = [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { containers, volumes: [tool], automountServiceAccountToken: false },
    },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports: [{ port: 4318 }] } },
  ];
  return [...changed, ...receiver].map((object) => dump(object)).join('\n---\n');
}

test('the documented Deployment sends the same with its own permissions, and the rest when it ends', async () => {
  if (!on.own) return;
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(join(ROOT, name), join(directory, name), { recursive: true });
  writeFileSync(join(directory, 'receiver.mjs'), RECEIVER);
  chmodSync(directory, 0o755);
  const { tag } = await builtAgentImage(console.error);
  await applyText(on, manifests(tag));
  await kubectl(on, 'wait', '--for=condition=Ready', 'pod/receiver', '-n', NAMESPACE, '--timeout=300s');
  await kubectl(on, 'rollout', 'status', 'deployment/ksnoop-observe', '-n', NAMESPACE, '--timeout=300s');
  const logs = () => kubectl(on, 'logs', '-n', NAMESPACE, 'deployment/ksnoop-observe');
  const web = await shopPods(on, 'web');
  await expect
    .poll(async () => (await logs()).match(/capturing shop\/web-/g)?.length, { timeout: HANG_MS })
    .toBe(web.length);
  const { status } = await requests(on, { n: 200, run: `deployed${Date.now()}` });
  const received = async () =>
    (await kubectl(on, 'logs', '-n', NAMESPACE, 'receiver'))
      .trim()
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [parseJson(line, 'message') as Message]));
  await expect.poll(async () => total(served(await received())), { timeout: HANG_MS }).toBe(200);
  expect(await logs()).not.toMatch(/forbidden|permission/i);
  await kubectl(on, 'scale', 'deployment/ksnoop-observe', '--replicas=0', '-n', NAMESPACE);
  await kubectl(on, 'wait', '--for=delete', 'pod', '-l', 'app=ksnoop-observe', '-n', NAMESPACE, '--timeout=120s');
  const messages = await received();
  expect(served(messages)).toEqual(status);
  expect(spans(messages).filter(({ pod }) => web.some(({ name }) => name === pod)).length).toBeGreaterThanOrEqual(200);
});

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
