import { afterEach, expect, test } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { neighbourNames } from '../../../src/capture/names/names.ts';
import { type ApiServer, json, startApiServer, status } from '../../support/api-server.ts';

let server: ApiServer;
afterEach(() => server.close());

const pod = (name: string, ip: string, hostNetwork = false, phase = 'Running') => ({
  metadata: { name, namespace: 'shop', uid: name },
  spec: { nodeName: 'node-1', hostNetwork, containers: [{ name: 'main' }] },
  status: { phase, podIPs: [{ ip }] },
});
const service = (name: string, clusterIP: string) => ({
  metadata: { name, namespace: 'shop' },
  spec: { clusterIP, clusterIPs: [clusterIP] },
});
const slice = (of: string, ...addresses: unknown[]) => ({
  metadata: { name: `${of}-1`, labels: { 'kubernetes.io/service-name': of } },
  endpoints: [{ addresses }],
});

const LISTS: Record<string, unknown[]> = {
  '/api/v1/nodes': [
    {
      metadata: { name: 'node-2' },
      status: {
        addresses: [
          { type: 'InternalIP', address: '10.0.0.2' },
          { type: 'Hostname', address: 'node-2' },
        ],
      },
    },
  ],
  '/api/v1/namespaces/shop/pods': [
    pod('web-1', '10.244.1.5'),
    pod('lonely', '10.244.1.6'),
    // Their address went to others when they ended, and their status still has it.
    pod('job-done', '10.244.1.6', false, 'Succeeded'),
    pod('job-failed', '10.244.1.7', false, 'Failed'),
    pod('edge', '10.0.0.1', true),
  ],
  '/api/v1/namespaces/shop/services': [service('web', '10.96.0.5'), service('web-headless', 'None')],
  '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices': [
    slice('web', '10.244.1.5'),
    slice('web-headless', '10.244.1.5'),
    slice('edge', '10.0.0.1'),
    slice('outside', '192.0.2.7', 'no address', 7),
  ],
};

async function names(refused: string, isTarget?: (service: string) => boolean) {
  server = await startApiServer({
    onRequest: (request, response) => {
      const path = (request.url ?? '').split('?')[0] ?? '';
      if (path.endsWith(refused)) return json(response, 403, status(403, 'Forbidden', 'no'));
      json(response, 200, { metadata: {}, items: LISTS[path] ?? [] });
    },
  });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  const found = await neighbourNames(kube, ['shop', 'shop'], new AbortController().signal, isTarget);
  return Object.fromEntries(found.map(({ address, names }) => [address, names]));
}

test('a pod goes by its Services, the one with an address last, and by its own name; a node by its name alone', async () => {
  expect(await names('/nothing')).toEqual({
    '10.0.0.2': ['node-2'],
    '10.96.0.5': ['web.shop'],
    '10.244.1.5': ['web-headless.shop', 'web.shop', 'shop/web-1'],
    '10.244.1.6': ['shop/lonely'],
    '10.0.0.1': ['node-1'],
    '192.0.2.7': ['outside.shop'],
  });
});

test('they are listed over two connections: the handshake of each takes as long as several answers', async () => {
  await names('/nothing');
  expect(server.seen).toHaveLength(4);
  expect(server.connections()).toBeLessThanOrEqual(2);
});

test('a pod behind a Service that is a target goes by that one alone', async () => {
  const found = await names('/nothing', (service) => service === 'web-headless.shop');
  expect(found['10.244.1.5']).toEqual(['web-headless.shop', 'shop/web-1']);
});

test.each([
  ['/pods', ['10.0.0.2', '10.96.0.5', '10.244.1.5', '10.0.0.1', '192.0.2.7']],
  ['/nodes', ['10.96.0.5', '10.244.1.5', '10.244.1.6', '10.0.0.1', '192.0.2.7']],
  ['/endpointslices', ['10.0.0.2', '10.96.0.5', '10.244.1.5', '10.244.1.6', '10.0.0.1']],
])('what may not be listed costs its names alone: %s', async (refused, addresses) => {
  expect(Object.keys(await names(refused)).sort()).toEqual([...addresses].sort());
});

test('of several Services the one whose port the pod declares comes last', async () => {
  const listed = LISTS['/api/v1/namespaces/shop/services'];
  const slices = LISTS['/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices'];
  listed?.push(service('aaa', '10.96.0.6'), service('shop', '10.96.0.7'));
  slices?.push({ ...slice('aaa', '10.244.1.8'), ports: [{ port: 9999 }] });
  slices?.push({ ...slice('shop', '10.244.1.8'), ports: [{ port: 8080 }] });
  const declaring = pod('api-1', '10.244.1.8');
  declaring.spec.containers = [{ name: 'main', ports: [{ containerPort: 8080 }] } as { name: string }];
  LISTS['/api/v1/namespaces/shop/pods']?.push(declaring);
  expect((await names('/nothing'))['10.244.1.8']).toEqual(['aaa.shop', 'shop.shop', 'shop/api-1']);
});
