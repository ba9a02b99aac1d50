// `ksnoop install --observe`: the Deployment sends to a real OpenTelemetry Collector, through agents and pods that are killed, and goes as it came.
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildAgentImage } from '../../daemonset/image/build.ts';
import { VERSION } from '../../src/wire/version.ts';
import { cluster, type TestCluster } from '../support/cluster.ts';
import { GO_BUILD_MS, goProgram } from '../support/go-program.ts';
import { HANG_MS } from '../support/hang.ts';
import { applyText, ensureAgent, ensureShop, ksnoop, kubectl, requests, shopPods } from '../support/shop.ts';

const NAMESPACE = `otel-${process.pid}`;
/** On the machine's file system, which the nodes of the test cluster see. */
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-otel-'));
let on: TestCluster;
let tag: string;

beforeAll(async () => {
  on = await cluster();
  if (!on.own) return;
  await ensureShop();
  await ensureAgent();
  ({ tag } = await buildAgentImage({ newest: true }, console.error));
  copyFileSync(await goProgram('collector'), join(directory, 'collector'));
  writeFileSync(
    join(directory, 'collector.yaml'),
    `receivers: { otlp: { protocols: { http: { endpoint: "0.0.0.0:4318" } } } }
exporters: { debug: { verbosity: detailed } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { metrics: { receivers: [otlp], exporters: [debug] }, traces: { receivers: [otlp], exporters: [debug] } }
`,
  );
  chmodSync(directory, 0o755);
  await applyText(on, collector());
  await kubectl(on, 'wait', '--for=condition=Ready', 'pod/collector', '-n', NAMESPACE, '--timeout=300s');
}, GO_BUILD_MS);

afterAll(async () => {
  if (on.own) {
    await ksnoop(on, 'uninstall', '--observe');
    await on.kubectl('delete', 'namespace', NAMESPACE, '--wait=false', '--ignore-not-found');
  }
  rmSync(directory, { recursive: true });
});

/** A Collector in the cluster: it prints what it receives. */
function collector(): string {
  const labels = { app: 'collector' };
  const metadata = { name: 'collector', namespace: NAMESPACE, labels };
  const container = {
    name: 'collector',
    // Any image will do: the program is linked statically.
    image: tag,
    command: ['/otel/collector', '--config', '/otel/collector.yaml'],
    volumeMounts: [{ name: 'otel', mountPath: '/otel', readOnly: true }],
  };
  const volumes = [{ name: 'otel', hostPath: { path: directory } }];
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [container], volumes } },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports: [{ port: 4318 }] } },
  ]
    .map((object) => dump(object))
    .join('\n---\n');
}

/** Requests to Service web by status code, as the Collector got them last: metrics are cumulative. */
async function received(): Promise<Record<string, number>> {
  const log = await kubectl(on, 'logs', '-n', NAMESPACE, 'collector', '--tail=20000');
  let counts: Record<string, number> = {};
  let [service, metric, status, probe] = ['', '', '', false];
  for (const line of log.split('\n')) {
    if (line.startsWith('ResourceMetrics #0')) counts = {};
    if (/^Resource(Metrics|Spans) #/.test(line)) [service, metric] = ['', ''];
    if (/DataPoints #/.test(line)) [status, probe] = ['', false];
    const [, name = '', value = ''] = /-> ([\w.]+): (?:Str|Int|Bool)\((.*)\)$/.exec(line) ?? [];
    if (name === 'service.name') service = value;
    if (name === 'http.response.status_code') status = value;
    if (name === 'ksnoop.probe') probe = true;
    metric = /-> Name: (\S+)$/.exec(line)?.[1] ?? metric;
    const [, count] = /^Count: (\d+)$/.exec(line) ?? [];
    if (count !== undefined && service === 'web' && metric === 'http.server.request.duration' && !probe) {
      counts[status] = (counts[status] ?? 0) + Number(count);
    }
  }
  return counts;
}

const total = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Names of all objects that an observation has installed, in all namespaces. */
async function observers(): Promise<string[]> {
  const kinds = 'deployment,serviceaccount,role,rolebinding,clusterrole,clusterrolebinding,networkpolicy,configmap,pod';
  const label = 'app.kubernetes.io/name=ksnoop-observe';
  const text = await kubectl(on, 'get', kinds, '-A', '-l', label, '-o', 'name');
  return text.split('\n').filter((line) => line !== '');
}

const logs = () => kubectl(on, 'logs', '-n', 'ksnoop', 'deployment/ksnoop-observe');
const capturing = async () => (await logs()).match(/capturing shop\/web-/g)?.length ?? 0;

test('metrics of a Service arrive, also after agents and the pod were killed, and nothing is left of it', async () => {
  if (!on.own) return;
  const words = ['svc/web', '-n', 'shop', '--otlp', `http://collector.${NAMESPACE}:4318`, '--interval', '1s'];
  const installed = await ksnoop(on, 'install', '--image', tag, '--observe', ...words);
  expect(installed.code, installed.stderr).toBe(0);
  expect(String((await ksnoop(on, 'status')).stdout)).toContain('observing svc/web in shop: running');
  const web = await shopPods(on, 'web');
  await expect.poll(capturing, { timeout: HANG_MS }).toBe(web.length);

  const { status } = await requests(on, { n: 200, run: `first${Date.now()}` });
  await expect.poll(received, { timeout: HANG_MS }).toEqual(status);

  // Every agent is replaced; the pod that observes goes on.
  await kubectl(on, 'delete', 'pod', '-n', 'ksnoop', '-l', 'app.kubernetes.io/name=ksnoop-agent', '--force');
  await kubectl(on, 'rollout', 'status', 'daemonset/ksnoop-agent', '-n', 'ksnoop', '--timeout=300s');
  await expect.poll(capturing, { timeout: HANG_MS }).toBeGreaterThanOrEqual(2 * web.length);
  await requests(on, { n: 100, run: `second${Date.now()}` });
  await expect.poll(async () => total(await received()), { timeout: HANG_MS }).toBe(300);

  // An installation without --observe keeps it.
  expect((await ksnoop(on, 'install', '--image', tag)).code).toBe(0);
  expect(await capturing()).toBeGreaterThanOrEqual(2 * web.length);
  expect(await logs()).not.toMatch(/forbidden|without permission/i);

  // A new pod counts from 0.
  const label = 'app.kubernetes.io/name=ksnoop-observe';
  await kubectl(on, 'delete', 'pod', '-n', 'ksnoop', '-l', label, '--force');
  await kubectl(on, 'rollout', 'status', 'deployment/ksnoop-observe', '-n', 'ksnoop', '--timeout=300s');
  await expect.poll(capturing, { timeout: HANG_MS }).toBe(web.length);
  const third = await requests(on, { n: 100, run: `third${Date.now()}` });
  await expect.poll(received, { timeout: HANG_MS }).toEqual(third.status);

  const removed = await ksnoop(on, 'uninstall', '--observe');
  expect(removed.code, removed.stderr).toBe(0);
  expect(await observers()).toEqual([]);
  const stdout = String((await ksnoop(on, 'status')).stdout);
  expect(stdout).toContain(`installed by ksnoop ${VERSION}`);
  expect(stdout).not.toContain('observing');
}, 900_000);
