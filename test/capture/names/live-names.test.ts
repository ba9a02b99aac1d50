import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { followNames } from '../../../src/capture/names/live-names.ts';
import type { NamedAddress } from '../../../src/wire/pcapng-write.ts';
import { type ObjectServer, podObject, startObjectServer, type TestObject } from '../../support/object-server.ts';

const INTERVAL_MS = 50;
vi.mock('../../../src/capture/limits.ts', async (original) => ({
  ...(await original<object>()),
  NAMES_INTERVAL_MS: 50,
}));

let server: ObjectServer;
let abort = new AbortController();
let ended: Promise<void>;
afterEach(async () => {
  abort.abort();
  await ended;
  await server.api.close();
});

const service = (name: string, clusterIP: string): TestObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { clusterIP },
});

/** Tell the names of the shop; each telling is one list of `address=names`. */
async function start(watching: boolean) {
  const kube = await loadKube({ kubeconfig: server.api.kubeconfig() });
  const told: string[][] = [];
  abort = new AbortController();
  const known = Promise.withResolvers<void>();
  const tell = (names: readonly NamedAddress[]) =>
    void told.push(names.map((record) => `${record.address}=${record.names.join()}`).sort());
  ended = followNames({
    kube,
    namespaces: ['shop', 'shop'],
    isTarget: () => false,
    watch: watching,
    started: Promise.resolve(),
    signal: abort.signal,
    onNames: tell,
    onComplete: known.resolve,
  });
  await known.promise;
  return told;
}

test('names of those there are, then only what is new: pods and Services', async () => {
  server = await startObjectServer(podObject('web-1', { ip: '10.244.1.5' }), service('web', '10.96.0.5'));
  const told = await start(true);
  expect(told[0]).toEqual(['10.244.1.5=shop/web-1', '10.96.0.5=web.shop']);
  await expect.poll(() => server.api.seen.filter((line) => line.includes('watch=true')).length).toBe(2);
  server.put(podObject('web-2', { ip: '10.244.1.6' }));
  server.put(service('api', '10.96.0.6'));
  await expect.poll(() => told.slice(1).flat().sort()).toEqual(['10.244.1.6=shop/web-2', '10.96.0.6=api.shop']);
  // An address that another pod has now.
  server.remove('Pod', 'web-1');
  server.put(podObject('web-3', { ip: '10.244.1.5' }));
  await expect.poll(() => told.at(-1)).toEqual(['10.244.1.5=shop/web-3']);
});

test('what may not be watched is told once, and not watched again', async () => {
  server = await startObjectServer(podObject('web-1', { ip: '10.244.1.5' }));
  server.forbid(/watch/);
  const told = await start(true);
  const watches = () => server.api.seen.filter((line) => line.includes('watch=true')).length;
  await expect.poll(watches).toBe(2);
  // What the watches listed before they were refused is looked at once more.
  const lists = () => server.api.seen.filter((line) => line.includes('/nodes?')).length;
  await expect.poll(lists).toBe(2);
  server.put(podObject('web-2', { ip: '10.244.1.6' }));
  // Longer than a watch that is tried again waits first, and than the interval of the names.
  await sleep(10 * INTERVAL_MS);
  expect(watches()).toBe(2);
  expect(lists()).toBe(2);
  expect(told).toEqual([['10.244.1.5=shop/web-1']]);
});

test('without following it ends by itself', async () => {
  server = await startObjectServer(podObject('web-1', { ip: '10.244.1.5' }));
  await start(false);
  await ended;
});

test('the rest of the cluster is told after the neighbours, to be named if seen', async () => {
  server = await startObjectServer(podObject('web-1', { ip: '10.244.1.5' }), service('web', '10.96.0.5'));
  server.answer('/api/v1/services', {
    items: [
      { metadata: { name: 'web', namespace: 'shop' }, spec: { clusterIP: '10.96.0.5' } },
      { metadata: { name: 'kube-dns', namespace: 'kube-system' }, spec: { clusterIP: '10.96.0.10' } },
    ],
  });
  const kube = await loadKube({ kubeconfig: server.api.kubeconfig() });
  const told: string[][] = [];
  abort = new AbortController();
  const tell = (names: readonly NamedAddress[]) =>
    void told.push(names.map(({ address, names, ifSeen }) => `${address}=${names.join()} ${ifSeen ?? false}`).sort());
  ended = followNames({
    kube,
    namespaces: ['shop'],
    isTarget: () => false,
    watch: false,
    started: Promise.resolve(),
    signal: abort.signal,
    onNames: tell,
    onComplete: () => told.push(['known']),
  });
  await ended;
  expect(told).toEqual([
    ['10.244.1.5=shop/web-1 false', '10.96.0.5=web.shop false'],
    ['10.96.0.10=kube-dns.kube-system true'],
    ['known'],
  ]);
});

test('where nothing may be listed nothing is told, and that this is all', async () => {
  server = await startObjectServer();
  server.forbid(/./);
  expect(await start(false)).toEqual([]);
});
