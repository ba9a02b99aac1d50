import { afterEach, expect, test } from 'vitest';
import { type ObjectServer, podObject, startObjectServer, type TestObject } from '../../support/object-server.ts';
import { found, targetSet } from '../kinds/found.ts';

let server: ObjectServer;
afterEach(() => server.api.close());

const load = { app: 'client', tier: 'load' };
const shop = () =>
  startObjectServer(
    podObject('web-1', { labels: { app: 'web' } }),
    podObject('web-2', { labels: { app: 'web' }, node: 'node2' }),
    podObject('client-1', { labels: load }),
    podObject('client-2', { labels: load, namespace: 'other', node: 'node2' }),
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node1' } },
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node2' } },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
  );

test.each<[string[], Parameters<typeof targetSet>[2], string[]]>([
  [['pod/web-*'], {}, ['web-1', 'web-2']],
  [['pod/*'], {}, ['client-1', 'web-1', 'web-2']],
  [['pod/*-1', 'pod/web-1'], {}, ['client-1', 'web-1']],
  [['pods'], { labelSelector: 'app=client,tier=load' }, ['client-1']],
  [[], { labelSelector: 'app=client,tier=load', namespaces: undefined }, ['client-1', 'client-2']],
  [[], { labelSelector: 'app=client', namespaces: ['other', 'shop'] }, ['client-1', 'client-2']],
  [[], { fieldSelector: 'metadata.name=web-2' }, ['web-2']],
  [[], { nodes: ['node2'], namespaces: undefined }, ['client-2', 'web-2']],
  [['pod/web-*'], { nodes: ['node1'] }, ['web-1']],
  [['pod/client-2'], { namespaces: undefined }, ['client-2']],
  [['pod/client-2'], { namespaces: ['other', 'shop'] }, ['client-2']],
  [['ns/shop'], {}, ['namespace/shop > client-1', 'namespace/shop > web-1', 'namespace/shop > web-2']],
  [['node/node1'], {}, ['node/node1']],
  [['no/*'], {}, ['node/node1', 'node/node2']],
  [['node/node1', 'pod/web-1'], {}, ['web-1', 'node/node1']],
])('%j with %j', async (words, options, expected) => {
  server = await shop();
  expect(await found(server, words, options)).toEqual(expected);
});

test.each<[string[], Parameters<typeof targetSet>[2], string, string]>([
  [['pod/wbe-1'], {}, 'There is no pod wbe-1 in namespace shop.', 'Did you mean web-1'],
  [['pod/zzz'], {}, 'There is no pod zzz in namespace shop.', 'Look with kubectl get pods -n shop; pods there:'],
  [['pod/zzz'], { namespaces: undefined }, 'No pod in any namespace matches zzz.', ''],
  [['svc/zzz*'], {}, 'No service in namespace shop matches zzz*.', 'there are no services in namespace shop'],
  [[], { labelSelector: 'a=b' }, 'No pod in namespace shop matches -l a=b.', ''],
  [['node/n'], {}, 'There is no node n.', ''],
  [['pod/web-1'], { namespaces: ['shp'] }, 'There is no namespace shp.', 'Did you mean -n shop?'],
  [['svc/web*'], { namespaces: ['shop', 'zzz'] }, 'There is no namespace zzz.', 'Namespaces: shop.'],
])('%j with %j finds nothing', async (words, options, message, hint) => {
  server = await shop();
  const { refused } = await targetSet(server, words, options);
  expect(refused).toMatchObject([{ error: { message, exit: 3, hint: expect.stringContaining(hint) } }]);
});

test('who may not read namespaces is told what is missing in them', async () => {
  server = await shop();
  server.forbid(/\/namespaces(\/\w+)?(\?|$)/);
  const { refused } = await targetSet(server, ['pod/web-1'], { namespaces: ['shp'] });
  expect(refused).toMatchObject([{ error: { message: 'There is no pod web-1 in namespace shp.' } }]);
});

const agent = () =>
  podObject('ksnoop-agent-1', { namespace: 'ksnoop', labels: { 'app.kubernetes.io/name': 'ksnoop-agent' } });

test('agents are left out and reported, unless one is named itself', async () => {
  server = await startObjectServer(podObject('web-1'), agent());
  const all = await targetSet(server, ['pod/*'], { namespaces: undefined });
  expect(all.initial.pods.map(({ pod }) => pod.name)).toEqual(['web-1']);
  expect(all.notes).toEqual(['the ksnoop agents (1 pod) are not captured: they carry the captures.']);
  const only = await targetSet(server, ['pod/*'], { namespaces: ['ksnoop'] });
  expect(only.refused).toMatchObject([
    { error: { code: 'NO_PODS', exit: 3, message: expect.stringContaining('itself') } },
  ]);
  expect(await found(server, ['pod/ksnoop-agent-1'], { namespaces: ['ksnoop'] })).toEqual(['ksnoop-agent-1']);
});

test('a pod of another namespace with the label of the agents is any pod', async () => {
  server = await startObjectServer(podObject('web-1', { labels: { 'app.kubernetes.io/name': 'ksnoop-agent' } }));
  expect(await found(server, ['pod/*'])).toEqual(['web-1']);
});

/** What a cluster with Argo's Rollouts and a database's operator says it has. */
function discovery(): void {
  const group = (name: string, resource: object) => ({
    metadata: { name },
    versions: [{ version: 'v1', resources: [resource] }],
  });
  server.answer('/api', { kind: 'APIGroupDiscoveryList', items: [] });
  const items = [group('argoproj.io', rollouts), group('db.example.com', databases)];
  server.answer('/apis', { kind: 'APIGroupDiscoveryList', items });
}
const rollouts = {
  resource: 'rollouts',
  responseKind: { kind: 'Rollout' },
  scope: 'Namespaced',
  singularResource: 'rollout',
  shortNames: ['ro'],
  subresources: [{ subresource: 'scale' }],
};
const databases = {
  resource: 'databases',
  responseKind: { kind: 'Database' },
  scope: 'Namespaced',
  singularResource: 'database',
};

test('a custom resource with a scale subresource is what that selects, one without is what descends from it', async () => {
  const custom = (kind: string, name: string, group: string): TestObject => ({
    apiVersion: `${group}/v1`,
    kind,
    metadata: { name },
  });
  server = await startObjectServer(
    custom('Rollout', 'web', 'argoproj.io'),
    custom('Database', 'main', 'db.example.com'),
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: {
        name: 'main',
        ownerReferences: [{ apiVersion: 'db.example.com/v1', kind: 'Database', name: 'main', uid: 'Database-main' }],
      },
    },
    podObject('web-1', { labels: { app: 'web' } }),
    podObject('main-0', { owner: { kind: 'StatefulSet', name: 'main' } }),
    podObject('lone', {}),
  );
  discovery();
  server.answer('/apis/argoproj.io/v1/namespaces/shop/rollouts/web/scale', { status: { selector: 'app=web' } });
  for (const word of ['rollout/web', 'ro/web', 'rollouts.argoproj.io/web', 'Rollout/web']) {
    expect(await found(server, [word])).toEqual(['rollout/web > web-1']);
  }
  expect(await found(server, ['database/main'])).toEqual(['database/main > main-0']);
  const { refused } = await targetSet(server, ['rollot/web']);
  expect(refused).toMatchObject([{ error: { code: 'BAD_TARGET', exit: 2, hint: 'Did you mean rollouts?' } }]);
  const { refused: unlike } = await targetSet(server, ['qqqqqqqq/web']);
  const hint: unknown = expect.not.stringContaining('Did you mean');
  expect(unlike).toMatchObject([{ error: { code: 'BAD_TARGET', exit: 2, hint } }]);
});
