import { afterEach, expect, test } from 'vitest';
import { findTargets } from '../../../src/run/capture/find-targets.ts';
import { captureConfig } from '../../cli/config.ts';
import { type ApiServer, json, startApiServer, status } from '../../support/api-server.ts';

let server: ApiServer | undefined;
afterEach(() => server?.close());

const never = new AbortController().signal;

test.each([
  [['pod'], 'pod/NAME'],
  [['netns/a'], '--local'],
  [['web'], 'pod/web'],
])('%j is refused before any kubeconfig is read', async (targets, hint) => {
  const config = captureConfig({ kubeconfig: '/none' }, targets);
  await expect(findTargets(config, never)).rejects.toMatchObject({
    code: 'BAD_TARGET',
    exit: 2,
    hint: expect.stringContaining(hint),
  });
});

test('a kubeconfig that does not exist is wrong use', async () => {
  await expect(findTargets(captureConfig({ kubeconfig: '/none' }), never)).rejects.toMatchObject({ exit: 2 });
});

const pod = (name: string, uid: string) => ({
  metadata: { name, namespace: 'shop', uid },
  spec: {
    nodeName: 'node-1',
    containers: [{ name: 'main', image: 'x', ports: [{ containerPort: 80, protocol: 'TCP' }] }],
  },
  status: {
    phase: 'Running',
    podIPs: [{ ip: '10.244.1.5' }],
    containerStatuses: [{ name: 'main', containerID: 'containerd://abc', state: { running: {} } }],
  },
});

async function shop(): Promise<string> {
  server = await startApiServer({
    onRequest: (request, response) => {
      const path = request.url?.split('?')[0] ?? '';
      if (path === '/api/v1/namespaces/shop/pods/web-1') json(response, 200, pod('web-1', 'uid-1'));
      else if (path.startsWith('/api/v1/namespaces/shop/pods/')) json(response, 404, status(404, 'NotFound', 'no'));
      else json(response, 200, { items: [pod('web-1', 'uid-1')] });
    },
  });
  return server.kubeconfig({ namespace: 'shop' });
}

test("the context's namespace is taken, a pod named twice is one target, its addresses have its name", async () => {
  const config = captureConfig({ kubeconfig: await shop() }, ['pod/web-1', 'po/web-1']);
  const found = await findTargets(config, never);
  expect(found.plans.map(({ node, targets }) => [node, targets.map(({ key }) => key)])).toEqual([
    ['node-1', ['uid-1']],
  ]);
  expect([...found.labels]).toEqual([['uid-1', 'shop/web-1']]);
  expect(found.names).toEqual([{ address: '10.244.1.5', names: ['shop/web-1'] }]);
  expect(found.refused).toEqual([]);
  found.close();
});

test.each(['pod', 'po', 'PODS'])('%s: a pod that is not there is refused beside one that is', async (word) => {
  const kubeconfig = await shop();
  const found = await findTargets(captureConfig({ kubeconfig }, [word, 'web-1', 'web-2']), never);
  expect(found.plans).toHaveLength(1);
  expect(found.refused).toMatchObject([{ label: 'shop/web-2', error: { code: 'NO_SUCH_TARGET', exit: 3 } }]);
  found.close();
});

test('what a capture needs later is loaded between its first requests and their answers', async () => {
  const asked = Promise.withResolvers<void>();
  const asks: string[] = [];
  server = await startApiServer({
    onRequest: async (request, response) => {
      asks.push(request.url ?? '');
      await asked.promise;
      json(response, 200, request.url?.endsWith('/web-1') ? pod('web-1', 'uid-1') : { items: [] });
    },
  });
  const config = captureConfig({ kubeconfig: server.kubeconfig({ namespace: 'shop' }) }, ['pod/web-1']);
  let calls = 0;
  const hooks = {
    asked: () => {
      calls += 1;
      asked.resolve();
    },
  };
  const found = await findTargets(config, never, hooks);
  expect(calls).toBe(1);
  expect(asks).toContain('/api/v1/namespaces/shop/pods/web-1');
  expect(found.plans).toHaveLength(1);
  found.close();
});

test('-n wins over the context', async () => {
  const kubeconfig = await shop();
  const other = await findTargets(captureConfig({ kubeconfig, namespace: 'other' }), never);
  other.close();
  expect(server?.seen).toContain('GET /api/v1/namespaces/other/pods/a');
});

test('-c says what it can and cannot do', async () => {
  const config = captureConfig({ kubeconfig: await shop(), container: 'main' }, ['pod/web-1']);
  const found = await findTargets(config, never);
  expect(found.warnings.join()).toContain(
    'containers of a pod share its network: -c main filters by the ports it declares',
  );
  expect(found.plans[0]?.targets[0]?.filter).toContain('port 80');
  found.close();
});
