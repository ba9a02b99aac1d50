import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { call, find, get, isAllowed, list } from '../../../src/capture/kube/api.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { resourcePath } from '../../../src/capture/kube/resource.ts';
import { type ApiServer, type Behaviour, base64, json, startApiServer, status } from '../../support/api-server.ts';
import { issue, makeAuthority } from '../../support/certificates.ts';

let server: ApiServer;
afterEach(() => server?.close());

const PODS = resourcePath('v1', 'shop', 'pods');

async function kubeOf(behaviour: Behaviour, change: Parameters<ApiServer['kubeconfig']>[0] = {}) {
  server = await startApiServer(behaviour);
  return loadKube({ kubeconfig: server.kubeconfig(change) });
}

test('calls share one connection', async () => {
  const kube = await kubeOf({ onRequest: (_, response) => json(response, 200, { kind: 'Pod' }) });
  for (let i = 0; i < 5; i++) await get(kube, `${PODS}/web-${i}`);
  expect(server.connections()).toBe(1);
});

test('a connection the server closed in between is replaced without a word', async () => {
  const kube = await kubeOf({ onRequest: (_, response) => json(response, 200, { ok: true }) });
  await get(kube, PODS);
  server.cut();
  expect(await get(kube, PODS)).toEqual({ ok: true });
});

test('of several connections the server closed in between, each is replaced', async () => {
  const used = new WeakSet<object>();
  let ending = false;
  const kube = await kubeOf({
    onRequest: (request, response) => {
      if (ending && used.has(request.socket)) request.socket.destroy();
      else json(response, 200, { ok: true });
      used.add(request.socket);
    },
  });
  await Promise.all([1, 2, 3].map((pod) => get(kube, `${PODS}/web-${pod}`)));
  expect(server.connections()).toBe(3);
  ending = true;
  expect(await get(kube, PODS)).toEqual({ ok: true });
});

test('a list is read page by page', async () => {
  const kube = await kubeOf({
    onRequest: (request, response) => {
      const next = new URL(request.url ?? '', 'https://x').searchParams.get('continue');
      const metadata = { resourceVersion: '7', ...(next ? {} : { continue: 'more' }) };
      json(response, 200, { metadata, items: [{ page: next ?? 'first' }] });
    },
  });
  const { items, resourceVersion } = await list(kube, PODS, { labelSelector: 'app=web' });
  expect(items).toEqual([{ page: 'first' }, { page: 'more' }]);
  expect(resourceVersion).toBe('7');
  expect(server.seen[0]).toContain('labelSelector=app%3Dweb');
});

/** A list of `count` objects of some size, in pages as they are asked for. @param limits receives each `limit` */
function largeList(count: number, objectBytes: number, limits: number[]): Behaviour {
  return {
    onRequest: (request, response) => {
      const query = new URL(request.url ?? '', 'https://x').searchParams;
      const [from, limit] = [Number(query.get('continue') ?? 0), Number(query.get('limit'))];
      limits.push(limit);
      const names = Array.from({ length: Math.min(limit, count - from) }, (_, index) => `o-${from + index}`);
      const items = names.map((name) => ({ metadata: { name, annotations: { note: 'x'.repeat(objectBytes) } } }));
      const more = from + limit < count ? { continue: String(from + limit) } : {};
      json(response, 200, { metadata: { resourceVersion: '7', ...more }, items });
    },
  };
}

test('objects that are made large make the pages short, and a list that is kept has a bound', async () => {
  const limits: number[] = [];
  const plain = await kubeOf(largeList(100, 10_000, limits));
  const turns: string[] = [];
  const turn = async <T>(task: () => Promise<T>): Promise<T> => {
    turns.push('begins');
    const result = await task();
    turns.push('ends');
    return result;
  };
  const kube = { ...plain, lists: { pageBytes: 300_000, bytes: 2_000_000, turn } };
  expect((await list(kube, PODS)).items).toHaveLength(100);
  expect([limits[0], ...new Set(limits.slice(1))]).toEqual([500, 63, 8]);
  expect(turns).toEqual(['begins', 'ends']);
  const small = { ...kube, lists: { ...kube.lists, bytes: 500_000 } };
  await expect(list(small, PODS)).rejects.toMatchObject({ code: 'ANSWER_TOO_LARGE' });
  // Not even one object.
  const none = { ...kube, lists: { ...kube.lists, pageBytes: 5_000 } };
  await expect(list(none, PODS)).rejects.toMatchObject({ code: 'ANSWER_TOO_LARGE' });
  expect(limits.at(-1)).toBe(1);
});

test('403 says the rule that is missing and how to check', async () => {
  const words = 'pods is forbidden: User "eve" cannot list resource "pods" in API group "" in the namespace "shop"';
  const kube = await kubeOf({ onRequest: (_, response) => json(response, 403, status(403, 'Forbidden', words)) });
  await expect(list(kube, PODS)).rejects.toMatchObject({
    code: 'FORBIDDEN',
    message: `Pods is forbidden: User "eve" cannot list resource "pods" in API group "" in the namespace "shop".`,
    hint: 'Ask for this rule in a Role in namespace shop: - {apiGroups: [""], resources: ["pods"], verbs: ["list"]} (to check: kubectl --context test auth can-i list pods -n shop).',
  });
});

test('a resource of a group without a namespace asks for a ClusterRole', async () => {
  const kube = await kubeOf({ onRequest: (_, response) => json(response, 403, status(403, 'Forbidden', 'no')) });
  await expect(get(kube, '/apis/apps/v1/namespaces/ksnoop/daemonsets/x')).rejects.toMatchObject({
    hint: expect.stringContaining('can-i get daemonsets.apps -n ksnoop'),
  });
  await expect(get(kube, '/api/v1/namespaces/shop')).rejects.toMatchObject({
    hint: expect.stringMatching(
      /a ClusterRole: - \{apiGroups: \[""\], resources: \["namespaces"\], verbs: \["get"\]\}/,
    ),
  });
});

test('404 is NOT_FOUND in the words of the server, or undefined where that is a fine answer', async () => {
  const kube = await kubeOf({
    onRequest: (_, response) => json(response, 404, status(404, 'NotFound', 'pods "web" not found')),
  });
  await expect(get(kube, `${PODS}/web`)).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'Pods "web" not found.' });
  expect(await find(kube, `${PODS}/web`)).toBeUndefined();
});

test('401 advises by the kind of credentials', async () => {
  const refuse: Behaviour = {
    onRequest: (_, response) => json(response, 401, status(401, 'Unauthorized', 'Unauthorized')),
  };
  const kube = await kubeOf(refuse);
  await expect(get(kube, PODS)).rejects.toMatchObject({
    code: 'UNAUTHORIZED',
    message: `The cluster "test" (${server.url}) does not accept the credentials of context "test".`,
    hint: expect.stringContaining('token of the kubeconfig has expired'),
  });
  const expired = issue(makeAuthority('kubernetes'), {
    name: 'eve',
    until: new Date('2024-02-03'),
    from: new Date('2023-01-01'),
  });
  const user = { 'client-certificate-data': base64(expired.certificate), 'client-key-data': base64(expired.key) };
  const withCertificate = await loadKube({ kubeconfig: server.kubeconfig({ user }) });
  await expect(get(withCertificate, PODS)).rejects.toMatchObject({
    hint: expect.stringContaining('client certificate expired on 2024-02-03'),
  });
});

test('a page of something that is no API server is quoted without its markup', async () => {
  const kube = await kubeOf({
    onRequest: (_, response) =>
      response
        .writeHead(502, { 'content-type': 'text/html' })
        .end('<html><style>a{}</style><h1>Bad Gateway</h1></html>'),
  });
  await expect(get(kube, PODS)).rejects.toMatchObject({
    code: 'API_ERROR',
    message: `The cluster "test" (${server.url}) answered 502 to GET ${PODS}: Bad Gateway.`,
  });
});

test('a server whose certificate expired', async () => {
  const kube = await kubeOf({ until: new Date(Date.now() - 3_600_000) });
  await expect(get(kube, PODS)).rejects.toMatchObject({
    code: 'CERTIFICATE_EXPIRED',
    message: `The certificate of the cluster "test" (${server.url}) has expired.`,
  });
});

test('a server of another authority, and one of another name', async () => {
  const other = base64(makeAuthority('kubernetes').certificate);
  const kube = await kubeOf({}, { cluster: { 'certificate-authority-data': other } });
  await expect(get(kube, PODS)).rejects.toMatchObject({ code: 'CERTIFICATE_UNKNOWN' });
  await server.close();
  const named = await kubeOf({ hosts: ['api.example.test'] });
  await expect(get(named, PODS)).rejects.toMatchObject({
    code: 'CERTIFICATE_NAME',
    message: expect.stringContaining("IP: 127.0.0.1 is not in the cert's list"),
  });
});

test('tls-server-name and insecure-skip-tls-verify are heeded', async () => {
  const answer: Behaviour = { hosts: ['api.example.test'], onRequest: (_, response) => json(response, 200, { ok: 1 }) };
  const kube = await kubeOf(answer, { cluster: { 'tls-server-name': 'api.example.test' } });
  expect(await get(kube, PODS)).toEqual({ ok: 1 });
  const insecure = { 'insecure-skip-tls-verify': true, 'certificate-authority-data': undefined };
  const careless = await loadKube({ kubeconfig: server.kubeconfig({ cluster: insecure }) });
  expect(await get(careless, PODS)).toEqual({ ok: 1 });
});

test('nothing listening, no such name', async () => {
  const kube = await kubeOf({}, { cluster: { server: 'https://127.0.0.1:1' } });
  await expect(get(kube, PODS)).rejects.toMatchObject({
    code: 'UNREACHABLE',
    message: 'The cluster "test" (https://127.0.0.1:1) cannot be reached: Nothing listens there (connection refused).',
  });
});

test('a signal ends a call that gets no answer', async () => {
  const kube = await kubeOf({ onRequest: () => {} });
  const abort = new AbortController();
  const answer = get(kube, PODS, abort.signal);
  setTimeout(() => abort.abort(new Error('enough')), 50);
  await expect(answer).rejects.toThrow('enough');
});

test('a server that does not speak TLS', async () => {
  const plain = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  const address = plain.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const kube = await kubeOf({}, { cluster: { server: `https://127.0.0.1:${port}` } });
  await expect(get(kube, PODS)).rejects.toMatchObject({ code: 'TLS_FAILED' });
  plain.close();
});

test('the path in front of /api is kept', async () => {
  const kube = await kubeOf({ onRequest: (_, response) => json(response, 200, {}) });
  const prefixed = await loadKube({ kubeconfig: server.kubeconfig({ cluster: { server: `${server.url}/k8s/c-1/` } }) });
  await get(kube, PODS);
  await get(prefixed, PODS);
  expect(server.seen).toEqual([`GET ${PODS}`, `GET /k8s/c-1${PODS}`]);
});

test('permissions are asked for with their subresource', async () => {
  const kube = await kubeOf({
    onRequest: (request, response) => {
      let body = '';
      request.on('data', (text) => {
        body += text;
      });
      request.on('end', () => {
        const { resource, subresource } = JSON.parse(body).spec.resourceAttributes;
        json(response, 201, { status: { allowed: resource === 'pods' && subresource === 'exec' } });
      });
    },
  });
  expect(await isAllowed(kube, { verb: 'create', resource: 'pods/exec', namespace: 'ksnoop' })).toBe(true);
  expect(await isAllowed(kube, { verb: 'create', resource: 'pods', namespace: 'ksnoop' })).toBe(false);
});

test('an answer that is no object is an error, not a crash', async () => {
  const kube = await kubeOf({ onRequest: (_, response) => response.end('null') });
  await expect(call(kube, { path: PODS })).rejects.toMatchObject({ code: 'INVALID_MESSAGE' });
});
