import { afterEach, expect, test } from 'vitest';
import { type ObjectServer, podObject, startObjectServer, type TestObject } from '../../support/object-server.ts';
import { found, targetSet } from './found.ts';

let server: ObjectServer;
afterEach(() => server.api.close());

const service = (name: string, spec: object): TestObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec,
});
const slice = (name: string, ofService: string, endpoints: object[]): TestObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name, labels: { 'kubernetes.io/service-name': ofService } },
  endpoints,
});

test.each([
  ['ClusterIP', { selector: { app: 'web' }, clusterIP: '10.96.0.7' }],
  ['NodePort', { type: 'NodePort', selector: { app: 'web' } }],
  ['LoadBalancer', { type: 'LoadBalancer', selector: { app: 'web' } }],
  ['headless', { clusterIP: 'None', selector: { app: 'web' } }],
])('a %s Service is the pods it selects', async (_, spec) => {
  server = await startObjectServer(
    service('web', spec),
    podObject('web-1', { labels: { app: 'web' } }),
    podObject('api-1', { labels: { app: 'api' } }),
    podObject('web-x', { labels: { app: 'web' }, namespace: 'other' }),
  );
  expect(await found(server, ['svc/web'])).toEqual(['service/web > web-1']);
});

test('without a selector its EndpointSlices say who is behind it: by name, by address, or nobody', async () => {
  server = await startObjectServer(
    service('db', {}),
    slice('db-1', 'db', [
      { addresses: ['10.244.1.5'], targetRef: { kind: 'Pod', name: 'db-1', namespace: 'shop' } },
      { addresses: ['10.244.1.6'] },
    ]),
    slice('db-2', 'db', [{ addresses: ['192.0.2.9'] }]),
    slice('web-1', 'web', [{ addresses: ['10.244.1.7'] }]),
    podObject('db-1', { ip: '10.244.1.5' }),
    podObject('far', { ip: '10.244.1.6', namespace: 'data' }),
    podObject('web-1', { ip: '10.244.1.7' }),
  );
  const set = await targetSet(server, ['svc/db'], { crossNamespaces: true });
  expect(set.initial.pods.map(({ pod }) => pod.name).sort()).toEqual(['db-1', 'far']);
  expect(set.notes).toEqual(['service/db has endpoints that are no pods: 192.0.2.9']);
});

test('who may not list the pods of all namespaces finds those of the Service’s own', async () => {
  server = await startObjectServer(
    service('db', {}),
    slice('db-1', 'db', [{ addresses: ['10.244.1.6'] }, { addresses: ['10.244.1.7'] }]),
    podObject('far', { ip: '10.244.1.6', namespace: 'data' }),
    podObject('near', { ip: '10.244.1.7' }),
  );
  server.forbid(/GET \/api\/v1\/pods/);
  expect(await found(server, ['svc/db'], { crossNamespaces: true })).toEqual(['service/db > near']);
});

test('a hand-made EndpointSlice leads to pods of other namespaces only where the user says so', async () => {
  server = await startObjectServer(
    service('mine', {}),
    slice('mine-1', 'mine', [
      { addresses: ['10.244.1.6'], targetRef: { kind: 'Pod', name: 'named', namespace: 'victim' } },
      { addresses: ['10.244.1.7'] },
      { addresses: ['10.244.1.8'] },
    ]),
    podObject('named', { ip: '10.244.1.6', namespace: 'victim' }),
    podObject('addressed', { ip: '10.244.1.7', namespace: 'victim' }),
    podObject('own', { ip: '10.244.1.8' }),
  );
  const set = await targetSet(server, ['svc/mine']);
  expect(set.initial.pods.map(({ pod }) => pod.name)).toEqual(['own']);
  expect(set.notes).toEqual([
    expect.stringMatching(/^service\/mine has endpoints in other namespaces, .*: victim\/named; --cross-namespace/),
    expect.stringMatching(
      /^service\/mine has endpoints that are no pods of its namespace: 10\.244\.1\.7; --cross-namespace/,
    ),
  ]);
  const all = ['service/mine > addressed', 'service/mine > named', 'service/mine > own'];
  expect(await found(server, ['svc/mine'], { crossNamespaces: true })).toEqual(all);
});

test('an ExternalName is explained', async () => {
  server = await startObjectServer(service('mail', { type: 'ExternalName', externalName: 'smtp.example.com' }));
  const { refused } = await targetSet(server, ['svc/mail']);
  expect(refused).toMatchObject([
    { error: { code: 'EXTERNAL_NAME', exit: 3, message: expect.stringContaining('smtp.example.com') } },
  ]);
});
