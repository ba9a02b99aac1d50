// The built ksnoop diagnoses targets whose objects alone show what is wrong, at an API server that stands in for a cluster.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { type ApiServer, json, startApiServer, status } from '../../support/api-server.ts';
import { KsnoopProcess } from '../../support/ksnoop-process.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-diagnose-'));
let server: ApiServer | undefined;
afterEach(() => server?.close());
afterAll(() => rmSync(directory, { recursive: true }));

const metadata = (name: string, labels: object = {}) => ({ name, namespace: 'shop', uid: name, labels });
const SERVICE = {
  metadata: metadata('web'),
  spec: { selector: { app: 'wbe' }, clusterIPs: ['10.96.0.7'], ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
};
const POD = {
  metadata: metadata('web-1', { app: 'web' }),
  spec: { nodeName: 'node1', containers: [{ ports: [{ name: 'http', containerPort: 8080 }] }] },
  status: { phase: 'Running', podIPs: [{ ip: '10.244.0.7' }] },
};

/** A Service whose selector has a typing error. @param forbidden plurals that may not be read */
async function cluster(forbidden: readonly string[] = []): Promise<string> {
  server = await startApiServer({
    onRequest: (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'https://x');
      // A watch stays open.
      if (searchParams.get('watch') === 'true') return void response.writeHead(200).flushHeaders();
      const parts = pathname.split('/');
      const plural = parts.find((part) => forbidden.includes(part));
      if (plural !== undefined) return json(response, 403, status(403, 'Forbidden', `${plural} is forbidden`));
      if (pathname.endsWith('/services/web')) return json(response, 200, SERVICE);
      const isSelected = searchParams.get('labelSelector') !== null || pathname.includes('/namespaces/ksnoop/');
      const items = isSelected ? [] : { services: [SERVICE], pods: [POD] }[parts.at(-1) ?? ''];
      json(response, 200, { metadata: { resourceVersion: '7' }, items: items ?? [] });
    },
  });
  return server.kubeconfig({ namespace: 'shop' });
}

const diagnose = (kubeconfig: string, ...words: string[]) =>
  new KsnoopProcess(['diagnose', 'svc/web', '-n', 'shop', '--duration', '600s', ...words], kubeconfig);

test('what objects prove is printed first, and without a pod to capture the report follows at once', async () => {
  const { code, stdout, stderr } = await diagnose(await cluster()).finished();
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('found: The selector of web.shop matches no pod. [SERVICE_SELECTOR_EMPTY]');
  expect(stdout.toString()).toContain('pods whose labels differ in one: web-1 (app=web)');
  expect(stdout.toString()).toMatch(/no target captured; objects of namespace shop:$/m);
});

test('objects that may not be read are said in the report', async () => {
  const { code, stdout, stderr } = await diagnose(await cluster(['ingresses'])).finished();
  expect(code, stderr).toBe(0);
  expect(stdout.toString()).toContain('objects of namespace shop, in part (see the warnings)');
});

test.each([
  ['SERVICE_SELECTOR_EMPTY', 6],
  ['error', 6],
  ['DNS_FAILS', 0],
  ['NO_SUCH_CODE', 2],
])('--fail-on %s ends with exit code %i', async (on, expected) => {
  const { code, stderr } = await diagnose(await cluster(), '--fail-on', on).finished();
  expect(code, stderr).toBe(expected);
});

test('one JSON document has the findings and what was looked at; what may not be read is named with its rule', async () => {
  const { code, stdout, stderr } = await diagnose(await cluster(['ingresses']), '--json').finished();
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/not read: .*\["ingresses"\]/);
  expect(JSON.parse(stdout.toString())).toMatchObject({
    kind: 'findings',
    targets: [],
    namespaces: ['shop'],
    unread: [expect.stringContaining('ingresses')],
    findings: [{ code: 'SERVICE_SELECTOR_EMPTY', subject: 'web.shop', confidence: 'proven' }],
  });
});

test('Ctrl-C while objects are read ends it', async () => {
  const asked = Promise.withResolvers<void>();
  server = await startApiServer({ onRequest: () => asked.resolve() });
  const ksnoop = diagnose(server.kubeconfig({ namespace: 'shop' }));
  await asked.promise;
  const { code, stdout, stderr } = await ksnoop.stop();
  expect(code, stderr).toBe(1);
  expect(stderr).toContain('Interrupted before anything was captured.');
  expect(stdout.toString()).toBe('');
});

test.each([
  [['-w', '-'], /-w takes the name of a file/],
  [['--local', '--scope', 'clients'], /--scope has no meaning/],
  [['--scope', 'everything'], /Allowed choices are target, clients, surroundings/],
])('%j is refused', async (words, message) => {
  const { code, stderr } = await diagnose(join(directory, 'none'), ...words).finished();
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});
