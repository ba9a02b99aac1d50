// Two API servers whose pods have the same names, addresses and UIDs, as after a restored backup.
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { planCapture } from '../../../src/run/capture/plan.ts';
import { captureConfig } from '../../cli/config.ts';
import { type ApiServer, json, startApiServer, status } from '../../support/api-server.ts';

const never = new AbortController().signal;
const servers: ApiServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const pod = {
  metadata: { name: 'web-1', namespace: 'shop', uid: 'uid-1' },
  spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'x' }] },
  status: {
    phase: 'Running',
    podIPs: [{ ip: '10.244.1.5' }],
    containerStatuses: [{ name: 'main', containerID: 'containerd://abc', state: { running: {} } }],
  },
};

async function cluster(hasPod = true): Promise<ApiServer> {
  const server = await startApiServer({
    onRequest: (request, response) => {
      const path = request.url?.split('?')[0] ?? '';
      if (path.endsWith('/pods/web-1') && !hasPod) json(response, 404, status(404, 'NotFound', 'no'));
      else if (path.endsWith('/pods/web-1')) json(response, 200, pod);
      else json(response, 200, { items: [] });
    },
  });
  servers.push(server);
  return server;
}

/** One kubeconfig with a context for each server; undefined: nothing listens there. */
function kubeconfig(clusters: Readonly<Record<string, ApiServer | undefined>>): string {
  const [any] = Object.values(clusters).filter((server) => server !== undefined);
  const path = any?.kubeconfig() ?? '';
  const parts = Object.entries(clusters).map(([name, server]) => {
    const own = server?.kubeconfig({ namespace: 'shop' });
    return { name, own };
  });
  const documents = parts.map(({ name, own }) => {
    const document = own === undefined ? undefined : JSON.parse(readFileSync(own, 'utf8'));
    const server = document?.clusters[0].cluster ?? { server: 'https://127.0.0.1:1' };
    return { name, server };
  });
  writeFileSync(
    path,
    JSON.stringify({
      'current-context': parts[0]?.name,
      clusters: documents.map(({ name, server }) => ({ name, cluster: server })),
      users: [{ name: 'user', user: { token: 'secret' } }],
      contexts: documents.map(({ name }) => ({ name, context: { cluster: name, user: 'user', namespace: 'shop' } })),
    }),
  );
  return path;
}

const plan = (config: string, context: string) =>
  planCapture(captureConfig({ kubeconfig: config, context }, ['pod/web-1']), never);

test('targets, keys, labels and names of two clusters stay apart, even with the same UIDs', async () => {
  const config = kubeconfig({ 'prod-a': await cluster(), 'prod-b': await cluster(), other: await cluster() });
  const found = await plan(config, 'prod-*');
  expect(found.clusters).toEqual(['prod-a', 'prod-b']);
  expect(found.plans.map(({ cluster, node, targets }) => [cluster, node, targets.map(({ key }) => key)])).toEqual([
    ['prod-a', 'node-1', ['prod-a/uid-1']],
    ['prod-b', 'node-1', ['prod-b/uid-1']],
  ]);
  expect([...found.labels.values()]).toEqual(['prod-a/shop/web-1', 'prod-b/shop/web-1']);
  expect(found.names).toEqual([
    { address: '10.244.1.5', names: ['shop/web-1'], cluster: 'prod-a' },
    { address: '10.244.1.5', names: ['shop/web-1'], cluster: 'prod-b' },
  ]);
  const [first] = found.plans;
  expect((await first?.refresh(first.targets))?.map(({ key }) => key)).toEqual(['prod-a/uid-1']);
  found.close();
});

test('a cluster that cannot be reached, or has no such target, is refused by its name; the others go on', async () => {
  const config = kubeconfig({ a: await cluster(), dead: undefined, empty: await cluster(false) });
  const found = await plan(config, 'a,dead,empty');
  expect([...found.labels.values()]).toEqual(['a/shop/web-1']);
  expect(found.refused.map(({ error }) => [error.code, error.message.split(':')[0]])).toEqual([
    ['UNREACHABLE', 'dead'],
    ['NO_SUCH_TARGET', 'empty'],
  ]);
  found.close();
});

test('where no cluster can be reached, all are refused', async () => {
  const config = kubeconfig({ a: await cluster(), dead: undefined, gone: undefined });
  const found = await plan(config, 'dead,gone');
  expect(found.plans).toEqual([]);
  expect(found.refused.map(({ label, error }) => [label, error.code])).toEqual([
    ['dead/shop/web-1', 'UNREACHABLE'],
    ['gone/shop/web-1', 'UNREACHABLE'],
  ]);
});

test('the bound of targets holds for all clusters together', async () => {
  const config = kubeconfig({ a: await cluster(), b: await cluster() });
  const capture = captureConfig({ kubeconfig: config, context: 'a,b', maxTargets: '1' }, ['pod/web-1']);
  await expect(planCapture(capture, never)).rejects.toMatchObject({ code: 'TOO_MANY_TARGETS', exit: 2 });
});

test('one context of a list or pattern is as if it were named: nothing names its cluster', async () => {
  const config = kubeconfig({ 'prod-a': await cluster(), other: await cluster() });
  const found = await plan(config, 'prod-*');
  expect(found.clusters).toBeUndefined();
  expect([...found.labels]).toEqual([['uid-1', 'shop/web-1']]);
  found.close();
});

test.each([
  ['nothing-*', /matches "nothing-\*"/],
  ['prod-a,prodd', /no context "prodd"/],
  [',', /takes the names/],
])('--context %s is refused', async (context, message) => {
  const config = kubeconfig({ 'prod-a': await cluster() });
  await expect(plan(config, context)).rejects.toMatchObject({ exit: 2, message: expect.stringMatching(message) });
});
