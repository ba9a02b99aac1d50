import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { ObjectApi } from '../../../src/capture/kube/object-api.ts';
import { type ApiServer, json, startApiServer, status } from '../../support/api-server.ts';

const POD = { apiVersion: 'v1', kind: 'Pod' } as const;
const WEB = { ...POD, metadata: { namespace: 'shop', name: 'web' } };
let server: ApiServer;
let api: ObjectApi;
let answer: (path: string, request: IncomingMessage) => [number, unknown];
let bodies: string[];

beforeEach(async () => {
  bodies = [];
  server = await startApiServer({
    onRequest: async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      bodies.push(body);
      const path = request.url ?? '';
      const resources = [{ kind: 'Pod', name: 'pods', namespaced: true, verbs: [], singularName: '' }];
      if (path === '/api/v1') return json(response, 200, { kind: 'APIResourceList', apiVersion: 'v1', resources });
      const [code, value] = answer(path, request);
      json(response, code, value);
    },
  });
  api = new ObjectApi(await loadKube({ kubeconfig: server.kubeconfig() }));
});
afterEach(() => server.close());

test('an object comes as the API server has it: names of the API, times as text', async () => {
  const metadata = { name: 'web', namespace: 'shop', creationTimestamp: '2026-01-02T03:04:05Z' };
  answer = () => [200, { ...POD, metadata, spec: { containers: [{ name: 'web', image: 'web:1' }] } }];
  expect(await api.find(WEB)).toEqual({
    ...POD,
    metadata: { ...metadata, creationTimestamp: '2026-01-02T03:04:05.000Z' },
    spec: { containers: [{ name: 'web', image: 'web:1' }] },
  });
  expect(server.seen.at(-1)).toBe('GET /api/v1/namespaces/shop/pods/web');
});

test('what does not exist is undefined, and removing it says so', async () => {
  answer = () => [404, status(404, 'NotFound', 'pods "web" not found')];
  expect(await api.find(WEB)).toBeUndefined();
  expect(await api.remove(WEB)).toBe(false);
});

test('a list is read to its last page, with the selector on every one', async () => {
  answer = (path) => {
    const isFirst = !path.includes('continue=');
    const metadata = isFirst ? { continue: 'next' } : {};
    return [200, { apiVersion: 'v1', kind: 'PodList', metadata, items: [{ metadata: { name: isFirst ? 'a' : 'b' } }] }];
  };
  const pods = await api.list(POD, 'shop', { labelSelector: 'app=web' });
  expect(pods.map(({ metadata }) => metadata)).toEqual([{ name: 'a' }, { name: 'b' }]);
  const asked = server.seen.filter((line) => line.includes('/pods'));
  expect(asked).toHaveLength(2);
  for (const line of asked) expect(line).toContain('labelSelector=app%3Dweb');
});

test('an applied object is sent whole, for its manager, by server-side apply', async () => {
  let type: string | undefined;
  answer = (_, request) => {
    type = request.headers['content-type'];
    return [200, WEB];
  };
  const object = { ...WEB, spec: { hostPID: true, containers: [{ name: 'web', securityContext: { runAsUser: 0 } }] } };
  await api.apply(object, 'tester');
  expect(server.seen.at(-1)).toBe('PATCH /api/v1/namespaces/shop/pods/web?fieldManager=tester&force=true');
  expect(type).toBe('application/apply-patch+yaml');
  expect(JSON.parse(bodies.at(-1) ?? '')).toEqual(object);
});

test('a refusal is an error of ksnoop, in the words of every other command', async () => {
  answer = () => [403, status(403, 'Forbidden', 'pods is forbidden')];
  await expect(api.list(POD, 'shop')).rejects.toMatchObject({ code: 'FORBIDDEN', name: 'KsnoopError' });
  await expect(api.find(WEB)).rejects.toMatchObject({ message: expect.not.stringContaining('Failed to fetch') });
});

test('a kind that the cluster does not have is not found', async () => {
  answer = () => [404, status(404, 'NotFound', 'the server could not find the requested resource')];
  const widget = { apiVersion: 'v1', kind: 'Widget', metadata: { name: 'a' } };
  await expect(api.remove({ ...widget })).resolves.toBe(false);
  await expect(api.list({ apiVersion: 'v1', kind: 'Widget' }, undefined)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(api.list({ apiVersion: 'none/v1', kind: 'Widget' }, undefined)).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});
