import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildMoreProxiesImage, buildProxiesImage } from '../cluster/workloads/image.ts';
import type { TestCluster } from './cluster.ts';
import { applyText, ensureImage, ensureShop, kubectl, requests } from './shop.ts';

const manifests = join(import.meta.dirname, '../cluster/workloads/proxies');

/** Put HAProxy before the shop's web, and wait until it is ready. */
export async function ensureProxies(say: (line: string) => void = console.error): Promise<TestCluster> {
  const on = await ensureShop(say);
  const { path, tag } = await buildProxiesImage(say);
  await ensureImage(on, tag, path, say);
  await applyText(on, readFileSync(join(manifests, 'haproxy.yaml'), 'utf8').replaceAll('IMAGE', tag));
  await kubectl(on, 'rollout', 'status', '-n', 'shop', 'deployment/haproxy', '--timeout=180s');
  await untilReached(on, 'haproxy');
  return on;
}

/** Requests of a client that all have to be answered, and how often in a row. */
const REACHED_REQUESTS = 50;
const REACHED_ROUNDS = 2;
const REACHED_MS = 240_000;

/**
 * A pod that is ready is not reached at once: each node has to learn of its endpoint, and DNS servers keep the address of a
 * Service of the same name that was there before for up to 30 s.
 */
async function untilReached(on: TestCluster, service: string): Promise<void> {
  const until = performance.now() + REACHED_MS;
  for (let rounds = 0; rounds < REACHED_ROUNDS; ) {
    const load = { n: REACHED_REQUESTS, run: 'reached', paths: 'ok', url: `http://${service}/`, concurrency: 10 };
    const { answered } = await requests(on, load);
    rounds = answered === REACHED_REQUESTS ? rounds + 1 : 0;
    if (performance.now() > until) throw new Error(`${service} answered ${answered} of ${REACHED_REQUESTS} requests`);
  }
}

/** HAProxy with and without ids, Envoy and Caddy: for long runs. */
export const MORE_PROXIES = ['haproxy-ids', 'haproxy-plain', 'envoy', 'caddy'] as const;

/** Put them before the shop's web, and wait until they are ready. */
export async function ensureMoreProxies(say: (line: string) => void = console.error): Promise<TestCluster> {
  const on = await ensureShop(say);
  const { path, tag } = await buildMoreProxiesImage(say);
  await ensureImage(on, tag, path, say);
  await applyText(on, readFileSync(join(manifests, 'more.yaml'), 'utf8').replaceAll('IMAGE', tag));
  for (const name of MORE_PROXIES) {
    await kubectl(on, 'rollout', 'status', '-n', 'shop', `deployment/${name}`, '--timeout=180s');
  }
  return on;
}

export async function removeMoreProxies(on: TestCluster): Promise<void> {
  const objects = MORE_PROXIES.flatMap((name) => [`deployment/${name}`, `service/${name}`]);
  await kubectl(on, 'delete', '-n', 'shop', ...objects, 'configmap/more-proxies', '--ignore-not-found');
}

/** Take them away again: other tests count the shop's pods. */
export async function removeProxies(on: TestCluster): Promise<void> {
  const objects = ['deployment/haproxy', 'service/haproxy', 'configmap/haproxy'];
  await kubectl(on, 'delete', '-n', 'shop', ...objects, '--ignore-not-found');
}
