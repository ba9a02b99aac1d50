import { afterEach, expect, test } from 'vitest';
import { type ObjectServer, podObject, startObjectServer, type TestObject } from '../../support/object-server.ts';
import { found, targetSet } from './found.ts';

let server: ObjectServer;
afterEach(() => server.api.close());

const API = 'gateway.networking.k8s.io/v1';
const gatewayClass: TestObject = {
  apiVersion: API,
  kind: 'GatewayClass',
  metadata: { name: 'edge' },
  spec: { controllerName: 'ksnoop.test/edge' },
};
const gateway: TestObject = {
  apiVersion: API,
  kind: 'Gateway',
  metadata: { name: 'gw' },
  spec: { gatewayClassName: 'edge' },
};
const route = (name: string, parent: object, service: object): TestObject => ({
  apiVersion: API,
  kind: 'HTTPRoute',
  metadata: { name },
  spec: { parentRefs: [parent], rules: [{ backendRefs: [service] }] },
});
const service = (name: string, namespace = 'shop'): TestObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { selector: { app: name } },
});
const objects = [
  gatewayClass,
  gateway,
  route('web', { name: 'gw' }, { name: 'web', port: 80 }),
  route('api', { name: 'gw', kind: 'Gateway' }, { name: 'api', namespace: 'data' }),
  route('other', { name: 'other' }, { name: 'cache' }),
  service('web'),
  service('api', 'data'),
  service('cache'),
  podObject('web-1', { labels: { app: 'web' } }),
  podObject('api-1', { labels: { app: 'api' }, namespace: 'data' }),
  podObject('cache-1', { labels: { app: 'cache' } }),
];
const made = podObject('gw-1', { labels: { 'gateway.networking.k8s.io/gateway-name': 'gw' } });
const deployment: TestObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'edge' },
  spec: { selector: { matchLabels: { app: 'edge' } } },
};
const ofDeployment = podObject('edge-1', {
  labels: { app: 'edge', 'pod-template-hash': '5' },
  owner: { kind: 'ReplicaSet', name: 'edge-5' },
});

test('a Gateway is the pods made for it and those of the Services its routes lead to', async () => {
  server = await startObjectServer(...objects, made);
  expect(await found(server, ['gateway/gw'])).toEqual([
    'gateway/gw > gw-1',
    'gateway/gw > service/api > api-1',
    'gateway/gw > service/web > web-1',
  ]);
});

test("without pods of its own, its class's controller serves it", async () => {
  server = await startObjectServer(...objects, deployment, ofDeployment);
  const sides = { backends: false, controller: true };
  expect(await found(server, ['gateways/gw'], { sides })).toEqual(['gateway/gw > deployment/edge > edge-1']);
});

test('a route is its backends and the Gateways it is attached to', async () => {
  server = await startObjectServer(...objects, made);
  expect(await found(server, ['httproute/web'])).toEqual([
    'httproute/web > gateway/gw > gw-1',
    'httproute/web > service/web > web-1',
  ]);
  const sides = { backends: true, controller: false };
  expect(await found(server, ['httproute/web'], { sides })).toEqual(['httproute/web > service/web > web-1']);
});

test('a route to a Gateway that is not there', async () => {
  server = await startObjectServer(...objects);
  const { notes, initial } = await targetSet(server, ['httproute/other']);
  expect(notes).toEqual(['httproute/other names gateway shop/other, which does not exist']);
  expect(initial.pods.map(({ pod }) => pod.name)).toEqual(['cache-1']);
});

test('a cluster without these kinds is told apart from a missing object', async () => {
  server = await startObjectServer(podObject('a'));
  const { refused } = await targetSet(server, ['gateway/gw']);
  expect(refused).toMatchObject([
    { error: { code: 'NO_SUCH_TARGET', message: `The cluster has no gateways (${API}).` } },
  ]);
});
