import type { ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { watchObjects } from '../../../src/capture/kube/watch.ts';
import { type ApiServer, json, startApiServer, status } from '../../support/api-server.ts';

let server: ApiServer;
let abort: AbortController;
afterEach(async () => {
  abort.abort();
  await server.close();
});

const PODS = '/api/v1/namespaces/shop/pods';
const pod = (name: string, version: string) => ({
  metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: version },
});

/** Serves `lists` one after another and hands over each watch's response. */
async function watch(lists: unknown[][], onWatch: (response: ServerResponse, version: string, number: number) => void) {
  let listed = 0;
  let watched = 0;
  abort = new AbortController();
  server = await startApiServer({
    onRequest: (request, response) => {
      const query = new URL(request.url ?? '', 'https://x').searchParams;
      if (query.get('watch') !== 'true') {
        const items = lists[Math.min(listed++, lists.length - 1)];
        json(response, 200, { metadata: { resourceVersion: String(100 * listed) }, items });
        return;
      }
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      onWatch(response, query.get('resourceVersion') ?? '', ++watched);
    },
  });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  const told: string[] = [];
  const waiters: (() => void)[] = [];
  const running = watchObjects(kube, PODS, { signal: abort.signal }, (event) => {
    const name = 'object' in event ? (event.object.metadata as { name: string }).name : '';
    told.push(`${event.type} ${name}`.trim());
    for (const waiter of waiters) waiter();
  });
  const until = (wanted: string) =>
    new Promise<void>((resolve, reject) => {
      const check = () => told.includes(wanted) && resolve();
      waiters.push(check);
      check();
      running.catch(reject);
    });
  return { told, until, running };
}

const event = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`;

test('tells what is there and what changes, lines cut anywhere', async () => {
  const { told, until, running } = await watch([[pod('a', '1')]], (response, version) => {
    expect(version).toBe('100');
    const text = event('MODIFIED', pod('a', '2')) + event('ADDED', pod('ü', '3')) + event('DELETED', pod('a', '4'));
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += 7) response.write(bytes.subarray(at, at + 7));
  });
  await until('deleted a');
  abort.abort();
  await running;
  expect(told).toEqual(['added a', 'synced', 'modified a', 'added ü', 'deleted a']);
});

test('takes a dropped connection up where it was', async () => {
  const versions: string[] = [];
  const { told, until } = await watch([[pod('a', '1')]], (response, version, number) => {
    versions.push(version);
    if (number === 1) {
      response.write(event('BOOKMARK', { metadata: { resourceVersion: '150' } }));
      response.write(event('MODIFIED', pod('a', '160')), () => response.destroy());
    } else response.write(event('DELETED', pod('a', '170')));
  });
  await until('deleted a');
  expect(versions).toEqual(['100', '160']);
  expect(told).toEqual(['added a', 'synced', 'modified a', 'interrupted', 'resumed', 'deleted a']);
});

test('lists anew when the version is too old, and tells the difference', async () => {
  const { told, until } = await watch(
    [
      [pod('a', '1'), pod('b', '2'), pod('c', '3')],
      [pod('b', '2'), pod('c', '9'), pod('d', '8')],
    ],
    (response, version, number) => {
      if (number === 1) response.end(event('ERROR', status(410, 'Expired', 'too old resource version')));
      else if (version === '200') response.write(event('MODIFIED', pod('d', '201')));
    },
  );
  await until('modified d');
  expect(told.slice(4)).toEqual(['modified c', 'added d', 'deleted a', 'modified d']);
});

test('a server that goes and comes back is waited for', async () => {
  const { until } = await watch([[]], (response, _, number) => {
    if (number === 1) setTimeout(() => server.cut(), 20);
    else if (number > 1) response.write(event('ADDED', pod('late', '5')));
  });
  await until('interrupted');
  await until('added late');
});

test('the first refusal is an error: nobody would ever see it otherwise', async () => {
  abort = new AbortController();
  server = await startApiServer({
    onRequest: (_, response) => json(response, 403, status(403, 'Forbidden', 'pods is forbidden')),
  });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  await expect(watchObjects(kube, PODS, { signal: abort.signal }, () => {})).rejects.toMatchObject({
    code: 'FORBIDDEN',
  });
});
