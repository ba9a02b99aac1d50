// Requests through HAProxy, nginx and on to the cache are joined over all hops, right by the numbers that client and proxy log.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestCluster } from '../support/cluster.ts';
import { ensureProxies, removeProxies } from '../support/proxies.ts';
import { ensureAgent, kubectl } from '../support/shop.ts';
import { tracedRun } from '../support/traced-run.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-proxies-'));
let on: TestCluster;
beforeAll(async () => {
  on = await ensureProxies();
  await ensureAgent();
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await removeProxies(on);
});

const numberOf = (text: string) => Number(/[?&]n=(\d+)/.exec(text)?.[1] ?? -1);

/** Client, HAProxy, both web, both api and the cache, while a client makes requests; the traces of these. */
function traced(name: string, options: { n: number; paths: string; concurrency: number }) {
  return tracedRun(on, name, {
    file: join(directory, `${name}.pcapng`),
    targets: ['deploy/client', 'deploy/haproxy', 'svc/web', 'svc/api', 'svc/cache'],
    capturing: 8,
    load: { ...options, url: 'http://haproxy/' },
  });
}

test('50 clients at once: every request through HAProxy and nginx is joined, and right by its number', async () => {
  const n = 500;
  const { run, answered, traces } = await traced('joined', { n, paths: 'ok', concurrency: 50 });
  expect(answered).toBe(n);
  // The client made them, and each is one trace. HAProxy drops lines of its log when its pipe is full.
  const numbers = new Set(traces.map(({ label }) => numberOf(label)));
  expect(numbers.size).toBe(n);
  const log = await kubectl(on, 'logs', '-n', 'shop', 'deploy/haproxy', '--tail=20000');
  const logged = log.split('\n').filter((line) => line.includes(run));
  expect(logged.length).toBeGreaterThan(0);
  for (const line of logged) expect(numbers, line).toContain(numberOf(line));
  // Calls that were joined to no request are traces of their own.
  expect(traces.length).toBeLessThanOrEqual(n * 1.05);
  let joined = 0;
  for (const { label, src, hops, total } of traces) {
    if (src?.pod?.startsWith('client-') !== true) continue;
    const sum = hops.reduce((all, { latency }) => all + latency, 0);
    if (total !== undefined) expect(sum, label).toBe(total);
    expect(hops.every(({ latency }) => latency >= 0)).toBe(true);
    // No call is another request's: proven or likely, its number is this one's.
    for (const hop of hops) if (hop.label.includes(run)) expect(numberOf(hop.label), label).toBe(numberOf(label));
    const networks = hops.filter(({ kind }) => kind === 'network').map(({ from, to }) => `${from} ${to}`);
    const isWhole =
      /^shop\/client-\S+ shop\/haproxy-\S+$/.test(networks[0] ?? '') &&
      /^shop\/haproxy-\S+ shop\/web-\S+$/.test(networks[1] ?? '') &&
      /^shop\/web-\S+ shop\/api-\S+$/.test(networks[2] ?? '');
    if (isWhole) joined += 1;
  }
  expect(joined / n).toBeGreaterThanOrEqual(0.95);
  // HAProxy's id goes on with the request: what nginx passes on is proven.
  const proven = traces.filter(({ hops }) =>
    hops.some(({ depth, confidence }) => depth === 2 && confidence === 'proven'),
  );
  expect(proven.length / n).toBeGreaterThanOrEqual(0.95);
});

test('a delay in one service is a hop of that service, and the slowest unless another one took even longer', async () => {
  // Fewer than are needed to know what is usual: then nothing would stand out.
  const n = 16;
  const { traces } = await traced('delayed', { n, paths: 'slow', concurrency: 4 });
  let found = 0;
  for (const { label, hops, slowest, total } of traces) {
    const api = hops.find(({ kind, from }) => kind === 'server' && /^shop\/api-/.test(from));
    if (api === undefined) continue;
    found += 1;
    expect(api.latency, label).toBeGreaterThanOrEqual(290e6);
    const named = hops[slowest ?? -1];
    if (named === undefined) expect(api.latency / (total ?? 0), label).toBeLessThan(0.3);
    else expect(named.latency, label).toBeGreaterThanOrEqual(api.latency);
  }
  expect(found).toBeGreaterThanOrEqual(n * 0.9);
});
