import { afterEach, expect, test } from 'vitest';
import { agentUsage, quantity, resourcesOf } from '../../../src/capture/install/resources.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { ObjectApi } from '../../../src/capture/kube/object-api.ts';
import { type ApiServer, json, startApiServer, status } from '../../support/api-server.ts';

let server: ApiServer | undefined;
afterEach(() => server?.close());

test.each([
  ['12345678n', 0.012345678],
  ['10m', 0.01],
  ['1.5', 1.5],
  ['48Mi', 48 * 2 ** 20],
  ['1G', 1e9],
  ['', undefined],
  ['10X', undefined],
  ['-1', undefined],
  [undefined, undefined],
])('%s is %s', (text, number) => {
  if (number === undefined) expect(quantity(text)).toBeUndefined();
  else expect(quantity(text)).toBeCloseTo(number, 12);
});

test("requests and limits are the agent's container's", () => {
  const containers = [
    { name: 'other', resources: { limits: { memory: '1Gi' } } },
    { name: 'agent', resources: { requests: { cpu: '10m' }, limits: { memory: '512Mi' } } },
  ];
  expect(resourcesOf({ spec: { template: { spec: { containers } } } })).toEqual({
    requests: { cpu: '10m' },
    limits: { memory: '512Mi' },
  });
  expect(resourcesOf({})).toEqual({ requests: {}, limits: {} });
});

test('usage is by pod, and nothing where there is no metrics API', async () => {
  let isThere = true;
  server = await startApiServer({
    onRequest: (request, response) => {
      const path = request.url?.split('?')[0];
      if (isThere && path === '/apis/metrics.k8s.io/v1beta1') {
        const resources = [{ kind: 'PodMetrics', name: 'pods', namespaced: true, verbs: ['list'], singularName: '' }];
        json(response, 200, { kind: 'APIResourceList', groupVersion: 'metrics.k8s.io/v1beta1', resources });
        return;
      }
      if (!isThere || path !== '/apis/metrics.k8s.io/v1beta1/namespaces/ksnoop/pods') {
        json(response, 404, status(404, 'NotFound', 'no'));
        return;
      }
      const usage = { cpu: '11999999n', memory: '59000Ki' };
      json(response, 200, {
        kind: 'PodMetricsList',
        apiVersion: 'metrics.k8s.io/v1beta1',
        items: [
          { metadata: { name: 'a' }, containers: [{ name: 'agent', usage }] },
          { metadata: { name: 'b' }, containers: [{ name: 'agent', usage: { cpu: 'much' } }] },
        ],
      });
    },
  });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  expect([...(await agentUsage(new ObjectApi(kube)))]).toEqual([['a', { cpuMillis: 12, memoryBytes: 59_000 * 1024 }]]);
  isThere = false;
  expect((await agentUsage(new ObjectApi(kube))).size).toBe(0);
  kube.close();
});
