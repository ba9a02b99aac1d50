import { afterEach, expect, test } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import type { CapturePlan } from '../../../src/run/capture/plan.ts';
import { connectionFacts } from '../../../src/run/diagnose/connections.ts';
import { type ObjectServer, podObject, startObjectServer, type TestObject } from '../../support/object-server.ts';

let server: ObjectServer;
afterEach(() => server.api.close());

const [CLIENT, WEB_1, WEB_2, API, OTHER] = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.9'] as const;
const [WEB_IP, API_IP] = ['10.96.0.1', '10.96.0.2'] as const;

const service = (name: string, clusterIP: string, targetPort: number): TestObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { clusterIP, clusterIPs: [clusterIP], selector: { app: name }, ports: [{ port: 80, targetPort }] },
});
const policy = (name: string, app: string, ingress: unknown[]): TestObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name },
  spec: { podSelector: { matchLabels: { app } }, policyTypes: ['Ingress'], ingress },
});
const mode: TestObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'kube-proxy', namespace: 'kube-system' },
  data: { 'config.conf': 'mode: nftables' },
};

async function lookup(...objects: TestObject[]) {
  server = await startObjectServer(
    podObject('client', { ip: CLIENT, labels: { app: 'client' } }),
    podObject('web-1', { ip: WEB_1, labels: { app: 'web' } }),
    podObject('web-2', { ip: WEB_2, labels: { app: 'web' } }),
    podObject('api', { ip: API, labels: { app: 'api' } }),
    service('web', WEB_IP, 8080),
    service('api', API_IP, 8080),
    ...objects,
  );
  for (const path of ['networkpolicies', 'ingresses'])
    if (!objects.some(({ kind }) => path.startsWith(kind.toLowerCase().slice(0, 8))))
      server.answer(`/apis/networking.k8s.io/v1/namespaces/shop/${path}`, { items: [], metadata: {} });
  const kube = await loadKube({ kubeconfig: server.api.kubeconfig() });
  const plan = { cluster: { kube, namespaces: ['shop'] } } as unknown as CapturePlan;
  const found = connectionFacts(plan, Promise.resolve(), new AbortController().signal);
  await expect.poll(() => found?.(CLIENT, WEB_IP, 80), { timeout: 30_000 }).toBeDefined();
  return found;
}

test('the policies that deny a connection to a Service or a pod, or isolate its pods, and the mode of kube-proxy', async () => {
  const fromApi = [{ from: [{ podSelector: { matchLabels: { app: 'api' } } }] }];
  const otherNamespaces = [{ from: [{ namespaceSelector: { matchLabels: { team: 'x' } } }] }];
  const about = await lookup(
    policy('only-api', 'web', fromApi),
    policy('open', 'api', [{}]),
    policy('teams', 'client', otherNamespaces),
    mode,
  );
  const denied = { names: ['shop/only-api'], verdict: 'denied' };
  expect(about?.(CLIENT, WEB_IP, 80)).toEqual({ policies: denied, proxyMode: 'nftables' });
  expect(about?.(CLIENT, WEB_1, 8080)).toEqual({ policies: denied, proxyMode: undefined });
  expect(about?.(API, WEB_IP, 80)?.policies).toEqual({ names: ['shop/only-api'], verdict: 'allowed' });
  expect(about?.(CLIENT, API_IP, 80)?.policies).toEqual({ names: ['shop/open'], verdict: 'allowed' });
  // Whose address it is, and the labels of its namespace, are not known.
  expect(about?.(OTHER, CLIENT, 80)?.policies).toEqual({ names: ['shop/teams'], verdict: 'unknown' });
});

test('without policies and without a ConfigMap nothing is stated', async () => {
  const about = await lookup();
  expect(about?.(CLIENT, WEB_IP, 80)).toEqual({ policies: undefined, proxyMode: undefined });
});

test('without a cluster there is no lookup', () => {
  expect(connectionFacts({} as CapturePlan, Promise.resolve(), new AbortController().signal)).toBeUndefined();
});
