import { afterEach, expect, test } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { CALLERS_MAXIMUM } from '../../../src/capture/limits.ts';
import { ClientPods } from '../../../src/capture/targets/client-pods.ts';
import { type ObjectServer, podObject, startObjectServer, type TestObject } from '../../support/object-server.ts';

let server: ObjectServer;
const abort = new AbortController();
afterEach(() => server.api.close());

const hostPod = (name: string, ip: string): TestObject => {
  const pod = podObject(name, { ip });
  return { ...pod, spec: { ...(pod.spec as object), hostNetwork: true } };
};

/** Clients of the target shop/web, with what joins. */
async function clients(...pods: TestObject[]) {
  server = await startObjectServer(...pods);
  const kube = await loadKube({ kubeconfig: server.api.kubeconfig() });
  const found = new ClientPods(kube, ['shop']);
  found.addTarget('shop/web');
  const told: string[] = [];
  void found.follow((event) => {
    if (event.type === 'added') told.push(`${event.via.join(' ')} ${event.pod.name}`);
    if (event.type === 'note') told.push(event.message);
  }, abort.signal);
  const lists = () => server.api.seen.filter((line) => line.includes('podIP')).length;
  return { found, told, lists };
}

test('a pod that connects to a target joins, once', async () => {
  const { found, told, lists } = await clients(
    podObject('api', { ip: '10.0.0.5' }),
    podObject('cron', { ip: '10.0.0.6' }),
  );
  found.see('shop/web', '10.0.0.5');
  found.see('shop/web', '10.0.0.5');
  found.see('shop/web', '10.0.0.6');
  await expect.poll(() => told, { timeout: 30_000 }).toEqual(['client api', 'client cron']);
  expect(lists()).toBe(2);
});

test("who connects to another pod, is a target itself, is on its node's network or has ended does not", async () => {
  const { found, told, lists } = await clients(
    podObject('web', { ip: '10.0.0.1' }),
    hostPod('host', '10.0.0.2'),
    podObject('done', { ip: '10.0.0.3', phase: 'Succeeded' }),
    podObject('starting', { ip: '10.0.0.4', phase: 'Pending' }),
    podObject('api', { ip: '10.0.0.5' }),
  );
  found.see('shop/other', '10.0.0.5');
  for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.99']) found.see('shop/web', address);
  // One at a time and in order: when the last is found, all before it were looked at.
  found.see('shop/web', '10.0.0.5');
  await expect.poll(() => told, { timeout: 30_000 }).toContain('client api');
  expect(told.filter((line) => line !== 'client starting')).toEqual(['client api']);
  expect(lists()).toBe(6);
});

test("where pods of all namespaces may not be listed, those of the target's are", async () => {
  const { found, told } = await clients(podObject('api', { ip: '10.0.0.5' }));
  server.forbid(/ \/api\/v1\/pods$/);
  found.see('shop/web', '10.0.0.5');
  await expect.poll(() => told, { timeout: 30_000 }).toEqual(['client api']);
  expect(server.api.seen.some((line) => line.includes('/namespaces/shop/pods'))).toBe(true);
});

test('addresses are bounded, which is noted once', async () => {
  const { found, told } = await clients();
  const see = (index: number) => found.see('shop/web', `fd00::${index.toString(16)}`);
  for (let index = 0; index < CALLERS_MAXIMUM; index += 1) see(index);
  expect(told).toEqual([]);
  see(CALLERS_MAXIMUM);
  expect(told).toHaveLength(1);
  see(CALLERS_MAXIMUM + 1);
  expect(told).toEqual([expect.stringContaining(`more than ${CALLERS_MAXIMUM} addresses`)]);
});
