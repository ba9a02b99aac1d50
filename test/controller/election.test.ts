import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadKube } from '../../src/capture/kube/config.ts';
import type { Kube } from '../../src/capture/kube/kube.ts';
import { type Election, type ElectionTimes, whileElected } from '../../src/controller/election.ts';
import { type JsonObject, objectAt } from '../../src/wire/guard.ts';
import { type ObjectServer, startObjectServer } from '../support/object-server.ts';

const PATH = '/apis/coordination.k8s.io/v1/namespaces/ksnoop/leases/controller';
/** Long enough for any machine to renew in time; and so short that a test can wait for the end. */
const LONG = { leaseMs: 120_000, stopMs: 90_000, renewMs: 20, tryMs: 60_000, lookMs: 20 };
const SHORT = { leaseMs: 600, stopMs: 400, renewMs: 20, tryMs: 200, lookMs: 20 };

let server: ObjectServer;
let kube: Kube;
let version: number;
let lease: JsonObject | undefined;

beforeEach(async () => {
  [version, lease] = [0, undefined];
  server = await startObjectServer();
  server.onWrite(({ method, path, body }) => {
    if (method === 'POST' && lease === undefined) return stored(body);
    const { resourceVersion } = objectAt(lease ?? {}, 'metadata');
    if (method !== 'PATCH' || path !== PATH || objectAt(body, 'metadata').resourceVersion !== resourceVersion)
      return undefined;
    return stored({ ...lease, spec: { ...objectAt(lease ?? {}, 'spec'), ...objectAt(body, 'spec') } });
  });
  kube = await loadKube({ kubeconfig: server.api.kubeconfig() });
});
afterEach(async () => {
  kube.close();
  await server.api.close();
});

function stored(object: JsonObject): JsonObject {
  version += 1;
  lease = { ...object, metadata: { name: 'controller', namespace: 'ksnoop', resourceVersion: String(version) } };
  server.answer(PATH, lease);
  return lease;
}

function election(identity: string, times: ElectionTimes): Election {
  return { kube, namespace: 'ksnoop', name: 'controller', labels: {}, identity, log: () => {}, times };
}

/** A replica, and what it does. */
function replica(identity: string, log: string[], times: ElectionTimes) {
  const stop = new AbortController();
  const work = async (signal: AbortSignal) => {
    log.push(`${identity} begins`);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    log.push(`${identity} ends`);
  };
  return { stop, running: whileElected(election(identity, times), work, stop.signal) };
}

test('one replica works at a time, and the next one when it gives up the Lease', async () => {
  const log: string[] = [];
  const a = replica('a', log, LONG);
  await vi.waitFor(() => expect(log).toEqual(['a begins']), { timeout: 60_000 });
  const b = replica('b', log, LONG);
  // Tries of b, which the holder outlives.
  await sleep(10 * LONG.renewMs);
  expect(log).toEqual(['a begins']);
  a.stop.abort();
  await a.running;
  await vi.waitFor(() => expect(log).toHaveLength(3), { timeout: 60_000 });
  b.stop.abort();
  await b.running;
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  expect(objectAt(lease ?? {}, 'spec')).toMatchObject({ holderIdentity: '', leaseTransitions: 1 });
});

test('a Lease whose holder is gone is taken', async () => {
  stored({ spec: { holderIdentity: 'gone', leaseDurationSeconds: 1 } });
  const log: string[] = [];
  const begun = performance.now();
  const b = replica('b', log, SHORT);
  await vi.waitFor(() => expect(log[0]).toBe('b begins'), { timeout: 60_000 });
  expect(performance.now() - begun).toBeGreaterThan(SHORT.leaseMs * 0.9);
  b.stop.abort();
  await b.running;
});

test('a holder that cannot renew the Lease stops', async () => {
  const log: string[] = [];
  const a = replica('a', log, SHORT);
  await vi.waitFor(() => expect(log[0]).toBe('a begins'), { timeout: 60_000 });
  server.onWrite(() => undefined);
  await vi.waitFor(() => expect(log.at(-1)).toBe('a ends'), { timeout: 60_000 });
  a.stop.abort();
  await a.running;
});

test('a holder whose Lease another one has taken stops', async () => {
  const log: string[] = [];
  const a = replica('a', log, LONG);
  await vi.waitFor(() => expect(log).toEqual(['a begins']), { timeout: 60_000 });
  stored({ spec: { holderIdentity: 'b' } });
  server.onWrite(() => undefined);
  await vi.waitFor(() => expect(log.at(-1)).toBe('a ends'), { timeout: 60_000 });
  a.stop.abort();
  await a.running;
});
