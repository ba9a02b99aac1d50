// Requests through the sidecars of two pods (Envoy, iptables redirects, mTLS) are joined to the program that answers them, right by
// the numbers and ids that it logs.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { TraceRecord } from '../../src/analyze/trace/record.ts';
import type { TestCluster } from '../support/cluster.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensureMesh, MESH_PODS, meshLog, meshRequests } from '../support/mesh.ts';
import { ensureAgent, kubectl } from '../support/shop.ts';

const REQUESTS = 1000;
const AT_ONCE = 8;
/** Without, the agents that the cluster has are used: it may be shared. */
const INSTALLS = process.env.KSNOOP_TRACE_INSTALL !== '0';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-mesh-'));
let on: TestCluster | undefined;
const namespaces: string[] = [];
afterAll(async () => {
  rmSync(directory, { recursive: true });
  if (on === undefined) return;
  for (const namespace of namespaces) await kubectl(on, 'delete', 'namespace', namespace, '--wait=false');
});

const numberOf = (text: string) => Number(/[?&]n=(\d+)/.exec(text)?.[1] ?? -1);

test.each([
  ['http1', true],
  ['http2', false],
])('%s between the sidecars, ids of the program: %s', async (mode, ids) => {
  const namespace = `mesh-${mode}`;
  namespaces.push(namespace);
  on = await ensureMesh(namespace, mode);
  if (INSTALLS) await ensureAgent();
  const file = join(directory, `${mode}.pcapng`);
  const ksnoop = new KsnoopProcess(['-n', namespace, 'deploy/client', 'svc/web', '-w', file], on.kubeconfig);
  await ksnoop.capturing(MESH_PODS);
  const path = `/cart/${Date.now()}`;
  const answered = await meshRequests(on, namespace, { path, count: REQUESTS, atOnce: AT_ONCE, ids });
  const { code, stderr } = await ksnoop.stop();
  expect(answered).toEqual({ 200: REQUESTS });
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/ 0 dropped by kernel, 0 dropped by ksnoop/);
  const { stdout } = await new KsnoopProcess(['trace', file, '--json'], '/nowhere').finished();
  const traces = stdout
    .toString()
    .split('\n')
    .filter((line) => line.includes(path))
    .map((line) => JSON.parse(line) as TraceRecord);
  const logged = new Map(
    (await meshLog(on, namespace)).filter((line) => line.includes(path)).map((line) => [numberOf(line), line]),
  );
  expect(logged.size).toBe(REQUESTS);
  let whole = 0;
  let apart = 0;
  for (const { src, label, hops, total } of traces) {
    expect(src?.pod, label).toMatch(/^client-/);
    expect(hops.reduce((sum, { latency }) => sum + latency, 0)).toBe(total);
    // No part of it is another request's.
    for (const hop of hops) if (hop.label.includes(path)) expect(numberOf(hop.label), label).toBe(numberOf(label));
    const server = hops.find(({ kind, from }) => kind === 'server' && from.startsWith(`${namespace}/web-`));
    if (server === undefined) continue;
    whole += 1;
    expect(server.confidence).toBe(ids ? 'proven' : 'likely');
    if (hops.some(({ kind }) => kind === 'proxy')) apart += 1;
    if (ids) expect(logged.get(numberOf(label))).toContain(`app-${numberOf(label)}`);
  }
  console.error(`${mode}: ${whole} of ${traces.length} joined, ${apart} with the sidecars apart`);
  expect(traces).toHaveLength(REQUESTS);
  expect(whole).toBe(REQUESTS);
});
