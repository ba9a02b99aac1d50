// Many requests through HAProxy, Envoy, Caddy and nginx with pools of connections: what is joined is right, by the numbers in the requests.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TraceRecord } from '../../src/analyze/trace/record.ts';
import type { TestCluster } from '../support/cluster.ts';
import { ensureMoreProxies, MORE_PROXIES, removeMoreProxies } from '../support/proxies.ts';
import { ensureAgent } from '../support/shop.ts';
import { tracedRun } from '../support/traced-run.ts';

/** Requests through each proxy; 0 skips it. */
const REQUESTS = Number(process.env.KSNOOP_TRACE_REQUESTS ?? 1000);
const AT_ONCE = 50;
/** Without, the agents that the cluster has are used: it may be shared. */
const INSTALLS = process.env.KSNOOP_TRACE_INSTALL !== '0';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-proxies-'));
let on: TestCluster | undefined;
beforeAll(async () => {
  if (REQUESTS === 0) return;
  on = await ensureMoreProxies();
  if (INSTALLS) await ensureAgent();
}, 1_200_000);
afterAll(async () => {
  rmSync(directory, { recursive: true });
  if (on !== undefined) await removeMoreProxies(on);
});

const numberOf = (text: string) => Number(/[?&]n=(\d+)/.exec(text)?.[1] ?? -1);

/** Calls below requests, by how sure they are, and how many of them are the request's own. */
function judged(traces: readonly TraceRecord[], run: string) {
  const found = { proven: 0, provenWrong: 0, likely: 0, likelyWrong: 0, ambiguous: 0, whole: 0 };
  for (const { label, src, hops, ambiguous } of traces) {
    if (src?.pod?.startsWith('client-') !== true) continue;
    if (ambiguous !== undefined) found.ambiguous += 1;
    if (hops.some(({ depth }) => depth >= 2)) found.whole += 1;
    for (const { kind, depth, label: called, confidence } of hops) {
      if (depth === 0 || kind !== 'request' || !called.includes(run)) continue;
      found[confidence] += 1;
      if (numberOf(called) !== numberOf(label)) found[`${confidence}Wrong`] += 1;
    }
  }
  return found;
}

test.each(MORE_PROXIES)(`${REQUESTS} requests of ${AT_ONCE} clients through %s and nginx`, async (proxy) => {
  if (on === undefined) return;
  const { run, answered, traces } = await tracedRun(on, proxy.replace('-', ''), {
    file: join(directory, `${proxy}.pcapng`),
    targets: ['deploy/client', `deploy/${proxy}`, 'svc/web', 'svc/api', 'svc/cache'],
    capturing: 8,
    load: { n: REQUESTS, paths: 'ok', concurrency: AT_ONCE, url: `http://${proxy}/` },
  });
  const found = judged(traces, run);
  console.error(`${proxy}: ${answered} answered, ${JSON.stringify(found)}`);
  expect(answered).toBe(REQUESTS);
  expect(found.provenWrong).toBe(0);
  expect(found.likelyWrong).toBeLessThanOrEqual(found.likely * 0.01);
  // Each request has a number in its query.
  expect(found.whole).toBeGreaterThanOrEqual(REQUESTS * 0.99);
});
