// Requests through a Service and on to another one are joined over all hops, and right by the ids of the requests themselves.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestCluster } from '../support/cluster.ts';
import { ensureAgent, ensureShop } from '../support/shop.ts';
import { tracedRun } from '../support/traced-run.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-trace-'));
let on: TestCluster;
beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
});
afterAll(() => rmSync(directory, { recursive: true }));

test('client → web → api is one trace for each request, and its parts add up', async () => {
  const { answered, traces } = await tracedRun(on, 'trace', {
    file: join(directory, 'trace.pcapng'),
    targets: ['svc/web', 'svc/api', 'deploy/client'],
    capturing: 5,
    load: { n: 40, paths: 'ok', concurrency: 1 },
  });
  expect(traces).toHaveLength(answered);
  let whole = 0;
  for (const { label, src, hops, total } of traces) {
    expect(src?.pod, label).toMatch(/^client-/);
    const passed = hops.filter(({ kind }) => kind === 'network').map(({ from, to }) => `${from} ${to}`);
    expect(passed[0], label).toMatch(/^shop\/client-\S+ shop\/web-\S+$/);
    expect(hops.every(({ latency }) => latency >= 0)).toBe(true);
    expect(hops.reduce((sum, { latency }) => sum + latency, 0)).toBe(total);
    const inner = hops.find(({ depth, kind }) => depth === 1 && kind === 'network');
    // While a probe of kubelet's was open as well the call may have been that one's, and belongs to neither.
    if (inner === undefined) continue;
    whole += 1;
    expect(passed[1], label).toMatch(/^shop\/web-\S+ shop\/api-\S+$/);
    // The request that web passed on is this one's: it has its number.
    expect(inner.label, label).toContain(`${/n=\d+/.exec(label)?.[0]}`);
  }
  expect(whole).toBeGreaterThanOrEqual(answered * 0.8);
});
