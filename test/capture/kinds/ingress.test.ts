import { afterEach, expect, test } from 'vitest';
import { scoreOf } from '../../../src/capture/kinds/controller.ts';
import { type ObjectServer, podObject, startObjectServer, type TestObject } from '../../support/object-server.ts';
import { found, targetSet } from './found.ts';

let server: ObjectServer;
afterEach(() => server.api.close());

const service = (
  name: string,
  spec: object = { selector: { app: name } },
  namespace?: string,
  status = {},
): TestObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, ...(namespace && { namespace }) },
  spec,
  status,
});
const path = (name: string) => ({ path: `/${name}`, backend: { service: { name, port: { number: 80 } } } });
const ingress = (spec: object, more: object = {}, status: object = {}): TestObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'shop', ...more },
  spec: { defaultBackend: path('web').backend, rules: [{ http: { paths: [path('web'), path('api')] } }], ...spec },
  status,
});
const ingressClass = (name: string, controller: string, metadata: object = {}): TestObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  metadata: { name, ...metadata },
  spec: { controller },
});
const controller = (
  name: string,
  options: { labels?: Record<string, string>; args?: string[]; kind?: string } = {},
) => {
  const { labels = {}, args = [], kind = 'Deployment' } = options;
  const workload: TestObject = {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace: 'edge', labels },
    spec: {
      selector: { matchLabels: { of: name } },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', args }] } },
    },
  };
  const owner = kind === 'Deployment' ? { kind: 'ReplicaSet', name: `${name}-5` } : { kind, name };
  return [
    workload,
    podObject(`${name}-1`, { labels: { of: name, 'pod-template-hash': '5' }, namespace: 'edge', owner }),
  ] as const;
};
const backends = [
  service('web'),
  service('api'),
  podObject('web-1', { labels: { app: 'web' } }),
  podObject('api-1', { labels: { app: 'api' } }),
];
const BEHIND = ['ingress/shop > service/api > api-1', 'ingress/shop > service/web > web-1'];

test('its backends and its controller, each also alone', async () => {
  server = await startObjectServer(
    ...backends,
    ingress({ ingressClassName: 'nginx' }),
    ingressClass('nginx', 'k8s.io/ingress-nginx'),
    ...controller('ingress-nginx-controller', {
      args: ['/nginx-ingress-controller', '--controller-class=k8s.io/ingress-nginx'],
    }),
    ...controller('other'),
  );
  const FRONT = ['ingress/shop > deployment/ingress-nginx-controller > ingress-nginx-controller-1'];
  expect(await found(server, ['ing/shop'])).toEqual([...FRONT, ...BEHIND].sort());
  expect(await found(server, ['ing/shop'], { sides: { backends: true, controller: false } })).toEqual(BEHIND);
  expect(await found(server, ['ing/shop'], { sides: { backends: false, controller: true } })).toEqual(FRONT);
});

test.each<[string, TestObject, Parameters<typeof controller>]>([
  ['by its name', ingressClass('a', 'ksnoop.test/edge'), ['edge']],
  ['by its app label', ingressClass('a', 'example.com/kong'), ['gw', { labels: { app: 'kong' } }]],
  [
    'by the domain, where the rest says nothing',
    ingressClass('a', 'traefik.io/ingress-controller'),
    ['traefik-ingress'],
  ],
  ['by an argument', ingressClass('a', 'x.y/z'), ['odd', { args: ['--ingress-class=a'], kind: 'DaemonSet' }]],
  [
    "by Helm's labels",
    ingressClass('a', 'x.y/z', { labels: { 'app.kubernetes.io/instance': 'r1', 'app.kubernetes.io/name': 'n' } }),
    ['odd', { labels: { 'app.kubernetes.io/instance': 'r1', 'app.kubernetes.io/name': 'n' } }],
  ],
])('a controller is found %s', async (_, ofClass, [name, options]) => {
  server = await startObjectServer(
    ...backends,
    ingress({ ingressClassName: 'a' }),
    ofClass,
    ...controller(name, options),
    ...controller('bystander', { labels: { app: 'bystander' } }),
  );
  const pods = (await targetSet(server, ['ing/shop'], { sides: { backends: false, controller: true } })).initial.pods;
  expect(pods.map(({ pod }) => pod.name)).toEqual([`${name}-1`]);
});

test("by the Service that has the Ingress's address, and through the default class", async () => {
  const balancer = { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] } };
  server = await startObjectServer(
    ...backends,
    ingress({}, {}, balancer),
    ingressClass('a', 'x.y/z', { annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } }),
    service('front', { selector: { of: 'lb' } }, 'edge', balancer),
    ...controller('lb'),
  );
  expect(await found(server, ['ing/shop'])).toEqual([...BEHIND, 'ingress/shop > service/front > lb-1'].sort());
});

test('a controller that is not found, a missing Service and a backend of another kind are told of', async () => {
  server = await startObjectServer(
    service('web'),
    podObject('web-1', { labels: { app: 'web' } }),
    ingress({ ingressClassName: 'gone', defaultBackend: { resource: { kind: 'Bucket', name: 'b' } } }),
  );
  const { initial, notes } = await targetSet(server, ['ing/shop']);
  expect(initial.pods.map(({ pod }) => pod.name)).toEqual(['web-1']);
  expect(notes).toEqual([
    'ingress/shop has a backend that is no Service: Bucket b',
    expect.stringMatching(/the controller of ingress\/shop is not captured: .*class "gone".*name it as a target too/),
    'ingress/shop names service shop/api, which does not exist',
  ]);
});

test('who may list only one namespace finds a controller there', async () => {
  server = await startObjectServer(
    ...backends,
    ingress({ ingressClassName: 'a' }),
    ingressClass('a', 'ksnoop.test/edge'),
    { ...controller('edge')[0], metadata: { name: 'edge', namespace: 'shop' } },
    podObject('edge-1', {
      labels: { of: 'edge', 'pod-template-hash': '5' },
      owner: { kind: 'ReplicaSet', name: 'edge-5' },
    }),
  );
  server.forbid(/apps\/v1\/(deployments|daemonsets)/);
  expect(await found(server, ['ing/shop'])).toEqual(['ingress/shop > deployment/edge > edge-1', ...BEHIND]);
});

test('of two that could be it, the one that is told the class', () => {
  const traits = {
    className: 'nginx',
    controllerName: 'nginx.org/ingress-controller',
    classLabels: {},
    namespace: 'a',
  };
  const [plain] = controller('nginx');
  const [told] = controller('nginx-ingress', { args: ['-ingress-class=nginx'] });
  expect(scoreOf(plain, traits)).toBeLessThan(2);
  expect(scoreOf(told, traits)).toBeGreaterThan(4);
});
