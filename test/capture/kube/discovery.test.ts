import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { Discovery } from '../../../src/capture/kube/discovery.ts';
import type { Kube } from '../../../src/capture/kube/kube.ts';
import { type ApiServer, json, startApiServer, status } from '../../support/api-server.ts';

let server: ApiServer;
let kube: Kube;

/** A version of a group with one resource, in aggregated discovery (KEP-3352). */
const group = (name: string, versions: readonly string[], kind: string, resource: string) => ({
  metadata: { name },
  versions: versions.map((version) => ({
    version,
    resources: [
      {
        resource,
        singularResource: kind.toLowerCase(),
        responseKind: { group: name, version, kind },
        scope: 'Namespaced',
        shortNames: [kind.slice(0, 2).toLowerCase()],
        verbs: ['get', 'list', 'watch'],
      },
    ],
  })),
});

beforeEach(async () => {
  const items = [
    group('one.example.com', ['v1'], 'Gateway', 'gateways'),
    group('two.example.com', ['v1beta1'], 'Gateway', 'gateways'),
    group('two.example.com', ['v1'], 'Widget', 'widgets'),
  ];
  server = await startApiServer({
    onRequest: (request, response) => {
      const path = new URL(request.url ?? '', 'https://x').pathname;
      if (path === '/apis' || path === '/api') {
        json(response, 200, { kind: 'APIGroupDiscoveryList', items: path === '/apis' ? items : [] });
      } else json(response, 404, status(404, 'NotFound', 'no such path'));
    },
  });
  kube = await loadKube({ kubeconfig: server.kubeconfig() });
});
afterEach(async () => {
  kube.close();
  await server.close();
});

test.each([
  ['gateways', 'one.example.com'],
  ['gateway', 'one.example.com'],
  ['Gateway', 'one.example.com'],
  ['ga', 'one.example.com'],
  ['gateways.one', 'one.example.com'],
  ['gateways.two', 'two.example.com'],
  ['gateways.two.example.com', 'two.example.com'],
  ['gateways.v1beta1.two.example.com', 'two.example.com'],
  ['gateways.v1.two.example.com', undefined],
  ['gateways.three.example.com', undefined],
  ['widgets', 'two.example.com'],
  ['widgets.one', undefined],
  ['none', undefined],
])('%s is the resource of %s', async (word, expected) => {
  expect((await new Discovery(kube).named(word))?.group).toBe(expected);
});
