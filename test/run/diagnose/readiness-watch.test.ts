import { afterEach, expect, test, vi } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { ReadinessWatch } from '../../../src/run/diagnose/readiness-watch.ts';
import { type ApiServer, json, startApiServer } from '../../support/api-server.ts';
import { HANG_MS } from '../../support/hang.ts';

let server: ApiServer;
afterEach(() => server.close());

const pod = (name: string, ready: boolean, version: number) => ({
  metadata: { name, namespace: 'shop', uid: name, resourceVersion: String(version) },
  status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});
const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;

test('changes of readiness are counted by pod; other changes, and pods that are gone, are not', async () => {
  server = await startApiServer({
    onRequest: (request, response) => {
      if (!(request.url ?? '').includes('watch=true')) {
        const items = [pod('flapping', true, 1), pod('steady', true, 2), pod('gone', false, 3)];
        return json(response, 200, { metadata: { resourceVersion: '3' }, items });
      }
      response.writeHead(200);
      response.write(line('MODIFIED', pod('flapping', false, 4)));
      response.write(line('MODIFIED', pod('flapping', false, 5)));
      response.write(line('MODIFIED', pod('steady', true, 6)));
      response.write(line('MODIFIED', pod('gone', true, 7)));
      response.write(line('DELETED', pod('gone', true, 8)));
      response.write(line('ADDED', pod('new', false, 9)));
      response.write(line('MODIFIED', pod('new', true, 10)));
      response.write(line('MODIFIED', pod('flapping', true, 11)));
    },
  });
  const kube = await loadKube({ kubeconfig: server.kubeconfig(), context: undefined });
  const watch = new ReadinessWatch(kube, ['shop']);
  await vi.waitFor(
    () =>
      expect(watch.facts()).toEqual([
        { namespace: 'shop', pod: 'flapping', changes: 2 },
        { namespace: 'shop', pod: 'steady', changes: 0 },
        { namespace: 'shop', pod: 'new', changes: 1 },
      ]),
    { timeout: HANG_MS / 2 },
  );
  await watch.stop();
  kube.close();
});
