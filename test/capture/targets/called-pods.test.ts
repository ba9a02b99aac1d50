import { afterEach, expect, test } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { podLabel } from '../../../src/capture/kube/pod.ts';
import { CALLED_ADDRESSES_MAXIMUM, CALLEES_MAXIMUM } from '../../../src/capture/limits.ts';
import { CalledPods } from '../../../src/capture/targets/called-pods.ts';
import { type ObjectServer, podObject, startObjectServer, type TestObject } from '../../support/object-server.ts';

let server: ObjectServer;
let abort = new AbortController();
afterEach(() => {
  abort.abort();
  abort = new AbortController();
  server.api.close();
});

const WAIT = { timeout: 30_000 };

const serviceObject = (name: string, clusterIP: string): TestObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { clusterIP, clusterIPs: [clusterIP, 'fd00:10::7'], selector: { app: name } },
});
const backend = (app: string, name: string, ip: string) => podObject(name, { labels: { app }, ip });
const hostPod = (name: string, ip: string): TestObject => {
  const pod = podObject(name, { ip });
  return { ...pod, spec: { ...(pod.spec as object), hostNetwork: true } };
};

/** What the target shop/web calls, with what joins. */
async function called(options: { depth?: number; maximum?: number; follow?: boolean }, ...objects: TestObject[]) {
  server = await startObjectServer(...objects);
  const kube = await loadKube({ kubeconfig: server.api.kubeconfig() });
  const found = new CalledPods(kube, {
    namespaces: ['shop'],
    depth: 1,
    maximum: 10,
    follow: true,
    labelOf: podLabel,
    ...options,
  });
  found.addTarget('shop/web');
  const joined: string[] = [];
  const notes: string[] = [];
  void found.follow((event) => {
    if (event.type === 'added') joined.push(`+${event.pod.name}`);
    if (event.type === 'gone') joined.push(`-${event.label}`);
    if (event.type === 'note') notes.push(event.message);
  }, abort.signal);
  const lists = (form: RegExp) => server.api.seen.filter((line) => form.test(line)).length;
  return { found, joined, notes, lists };
}

test('all pods of a called Service join, once, by each of its addresses, and a pod that is called itself', async () => {
  const { found, joined, notes } = await called(
    {},
    serviceObject('api', '10.96.0.5'),
    backend('api', 'api-1', '10.0.0.5'),
    backend('api', 'api-2', '10.0.0.6'),
    backend('db', 'db-0', '10.0.0.7'),
  );
  found.see('shop/web', '10.96.0.5');
  found.see('shop/web', '10.96.0.5');
  found.see('shop/web', 'fd00:10::7');
  found.see('shop/web', '10.0.0.7');
  await expect.poll(() => joined, WAIT).toContain('+db-0');
  expect([...new Set(joined)].sort()).toEqual(['+api-1', '+api-2', '+db-0']);
  expect(notes).toEqual([
    'also captures svc/api in shop (2 pods): shop/web calls it.',
    'also captures pod/db-0 in shop: shop/web calls it.',
  ]);
});

test('the depth is how many calls away from a target a pod may be', async () => {
  const objects = [
    ...['api', 'cache', 'disk'].map((name, index) => serviceObject(name, `10.96.0.${index}`)),
    ...['api', 'cache', 'disk'].map((name, index) => backend(name, `${name}-1`, `10.0.0.${index}`)),
    backend('last', 'last-1', '10.0.0.9'),
  ];
  const { found, joined } = await called({ depth: 2 }, ...objects);
  found.see('shop/api-1', '10.96.0.1');
  found.see('shop/web', '10.96.0.0');
  await expect.poll(() => joined, WAIT).toContain('+api-1');
  found.see('shop/api-1', '10.96.0.1');
  await expect.poll(() => joined, WAIT).toContain('+cache-1');
  // Too far away; the pod after it is looked up later.
  found.see('shop/cache-1', '10.96.0.2');
  found.see('shop/web', '10.0.0.9');
  await expect.poll(() => joined, WAIT).toContain('+last-1');
  expect([...new Set(joined)]).toEqual(['+api-1', '+cache-1', '+last-1']);
});

test("targets, addresses outside of the cluster and pods on their node's network do not join", async () => {
  const { found, joined, notes } = await called(
    {},
    serviceObject('web', '10.96.0.1'),
    backend('web', 'web', '10.0.0.1'),
    hostPod('host', '10.0.0.2'),
    podObject('done', { ip: '10.0.0.3', phase: 'Succeeded' }),
    backend('db', 'db-0', '10.0.0.7'),
  );
  found.see('shop/other', '10.0.0.7');
  for (const address of ['10.96.0.1', '10.0.0.1', '10.0.0.2', '10.0.0.3', '192.0.2.1']) found.see('shop/web', address);
  found.see('shop/web', '10.0.0.7');
  await expect.poll(() => joined, WAIT).toContain('+db-0');
  expect(joined).toEqual(['+db-0']);
  expect(notes).toHaveLength(1);
});

test.each([true, false])(
  'pods that the Service gets later join, and leave, if pods are followed: %s',
  async (follow) => {
    const { found, joined, lists } = await called(
      { follow },
      serviceObject('api', '10.96.0.5'),
      backend('api', 'api-1', '10.0.0.5'),
    );
    found.see('shop/web', '10.96.0.5');
    await expect.poll(() => joined, WAIT).toContain('+api-1');
    if (!follow) {
      expect(lists(/watch/)).toBe(0);
      return;
    }
    await expect.poll(() => lists(/pods\?.*watch/), WAIT).toBeGreaterThan(0);
    server.put(backend('api', 'api-2', '10.0.0.6'));
    server.remove('Pod', 'api-1');
    await expect.poll(() => joined, WAIT).toEqual(expect.arrayContaining(['+api-2', '-shop/api-1']));
  },
);

test("where objects of all namespaces may not be listed, those of the target's are", async () => {
  const { found, joined } = await called(
    {},
    serviceObject('api', '10.96.0.5'),
    backend('api', 'api-1', '10.0.0.5'),
    backend('db', 'db-0', '10.0.0.7'),
  );
  server.forbid(/ \/api\/v1\/(pods|services)$/);
  found.see('shop/web', '10.96.0.5');
  found.see('shop/web', '10.0.0.7');
  await expect.poll(() => [...new Set(joined)], WAIT).toEqual(['+api-1', '+db-0']);
});

test('pods, called Services and addresses are bounded, each noted once', async () => {
  const { found, joined, notes } = await called(
    { maximum: 1 },
    serviceObject('api', '10.96.0.5'),
    backend('api', 'api-1', '10.0.0.5'),
    backend('api', 'api-2', '10.0.0.6'),
    backend('db', 'db-0', '10.0.0.7'),
    backend('db', 'db-1', '10.0.0.8'),
  );
  for (const address of ['10.96.0.5', '10.0.0.7', '10.0.0.8']) found.see('shop/web', address);
  for (let index = 0; index < CALLED_ADDRESSES_MAXIMUM; index += 1)
    found.see('shop/web', `fd00::${index.toString(16)}`);
  await expect.poll(() => notes, WAIT).toHaveLength(4);
  expect(joined).toEqual(['+db-0']);
  expect(notes.sort()).toEqual([
    'also captures pod/db-0 in shop: shop/web calls it.',
    'more than 1 pods are called (--max-targets); further ones do not join.',
    expect.stringMatching(/^svc\/api in shop, which shop\/web calls, is not captured: 2 targets were found/),
    `the targets call more than ${CALLED_ADDRESSES_MAXIMUM} addresses; further addresses are not looked up.`,
  ]);
});

test('callees are bounded', async () => {
  const pods = Array.from({ length: CALLEES_MAXIMUM + 1 }, (_, index) =>
    backend('db', `db-${index}`, `10.1.0.${index}`),
  );
  const { found, joined, notes } = await called({ maximum: 1000 }, ...pods);
  pods.forEach((_, index) => {
    found.see('shop/web', `10.1.0.${index}`);
  });
  await expect.poll(() => notes.at(-1), WAIT).toContain(`more than ${CALLEES_MAXIMUM} Services and pods`);
  expect(joined).toHaveLength(CALLEES_MAXIMUM);
});
