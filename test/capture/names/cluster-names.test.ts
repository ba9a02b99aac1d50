import { afterEach, expect, test } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { clusterNames } from '../../../src/capture/names/cluster-names.ts';
import { type ApiServer, json, startApiServer, status } from '../../support/api-server.ts';

let server: ApiServer;
afterEach(() => server.close());

const row = (name: string, ip: unknown) => ({
  cells: [name, '1/1', 'Running', 0, '5m', ip, 'node-1'],
  object: { kind: 'PartialObjectMetadata', metadata: { name, namespace: 'other' } },
});
const table = (...rows: readonly object[]) => ({
  kind: 'Table',
  columnDefinitions: ['Name', 'Ready', 'Status', 'Restarts', 'Age', 'IP', 'Node'].map((name) => ({ name })),
  rows,
});
const service = (name: string, clusterIP: string) => ({ metadata: { name, namespace: 'other' }, spec: { clusterIP } });

/** @param answers by path and `continue`: what is answered, else 403 */
async function names(answers: Readonly<Record<string, object>>) {
  const asked: string[] = [];
  server = await startApiServer({
    onRequest: (request, response) => {
      const url = new URL(request.url ?? '', 'https://x');
      const key = `${url.pathname.split('/').at(-1)}${url.searchParams.get('continue') ?? ''}`;
      asked.push(`${key} ${url.searchParams.get('fieldSelector')} ${request.headers.accept?.includes('as=Table')}`);
      const answer = answers[key];
      if (answer === undefined) return json(response, 403, status(403, 'Forbidden', 'no'));
      json(response, 200, answer);
    },
  });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  const found = await clusterNames(kube, new AbortController().signal);
  expect(found.every(({ ifSeen }) => ifSeen)).toBe(true);
  return { asked, found: Object.fromEntries(found.map(({ address, names }) => [address, names.join()])) };
}

test('pods that run and Services of all namespaces, page by page', async () => {
  const { asked, found } = await names({
    pods: { ...table(row('a', '10.244.1.5'), row('waits', '<none>')), metadata: { continue: '2' } },
    pods2: table(row('b', '10.244.1.6'), row('odd', 7)),
    services: { items: [service('dns', '10.96.0.10'), service('headless', 'None')] },
  });
  expect(found).toEqual({ '10.244.1.5': 'other/a', '10.244.1.6': 'other/b', '10.96.0.10': 'dns.other' });
  expect(asked.sort()).toEqual([
    'pods status.phase=Running true',
    'pods2 status.phase=Running true',
    'services null false',
  ]);
});

test('an address that several pods have is their node’s', async () => {
  const pods = table(row('proxy', '10.0.0.1'), row('exporter', '10.0.0.1'), row('a', '10.244.1.5'));
  expect((await names({ pods, services: { items: [] } })).found).toEqual({ '10.244.1.5': 'other/a' });
});

test('what may not be listed has no names, and the rest has', async () => {
  expect((await names({ pods: table(row('a', '10.244.1.5')) })).found).toEqual({ '10.244.1.5': 'other/a' });
  await server.close();
  expect((await names({ services: { items: [service('dns', '10.96.0.10')] } })).found).toEqual({
    '10.96.0.10': 'dns.other',
  });
  await server.close();
  expect((await names({})).found).toEqual({});
  await server.close();
  expect((await names({ pods: { kind: 'Table' }, services: { items: 7 } })).found).toEqual({});
});

test('it ends where enough are known', async () => {
  const pods = { ...table(...Array.from({ length: 500 }, (_, n) => row(`p${n}`, `10.1.${n >> 8}.${n & 255}`))) };
  const { asked } = await names({
    pods: { ...pods, metadata: { continue: '2' } },
    pods2: { ...pods, metadata: { continue: '2' } },
    services: { items: [] },
  });
  expect(asked.filter((line) => line.startsWith('pods'))).toHaveLength(4);
});
