import { afterEach, expect, test } from 'vitest';
import { installedVersions } from '../../../src/capture/install/versions.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { type ApiServer, json, startApiServer, status } from '../../support/api-server.ts';

let server: ApiServer | undefined;
afterEach(() => server?.close());

const DIGEST = `sha256:${'1'.repeat(64)}`;

function agent(node: string, image: string, imageID: string): object {
  return {
    metadata: { name: `agent-${node}`, namespace: 'ksnoop' },
    spec: { nodeName: node, containers: [{ name: 'agent', image }] },
    status: { containerStatuses: [{ name: 'agent', image, imageID, ready: true, restartCount: 0 }] },
  };
}

async function versions(daemonSet: object | undefined, pods: readonly object[]) {
  server = await startApiServer({
    onRequest: (request, response) => {
      const path = (request.url ?? '').split('?')[0];
      const kind = path === '/api/v1' ? 'Pod' : 'DaemonSet';
      if (path === '/api/v1' || path === '/apis/apps/v1') {
        const name = `${kind.toLowerCase()}s`;
        const resources = [{ kind, name, singularName: '', namespaced: true, verbs: [] }];
        json(response, 200, { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'v1', resources });
      } else if (path?.endsWith('/pods')) {
        json(response, 200, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: pods });
      } else if (daemonSet === undefined) json(response, 404, status(404, 'NotFound', 'not found'));
      else json(response, 200, { kind: 'DaemonSet', apiVersion: 'apps/v1', ...daemonSet });
    },
  });
  return installedVersions(await loadKube({ kubeconfig: server.kubeconfig() }));
}

test('agents are counted by image and by what the nodes run of it', async () => {
  const labels = { 'app.kubernetes.io/version': '1.2.3' };
  const found = await versions({ metadata: { name: 'ksnoop-agent', labels }, spec: {} }, [
    agent('n10', 'agent:2', `registry.example/agent@${DIGEST}`),
    agent('n2', 'agent:2', DIGEST),
    agent('n3', 'agent:1', ''),
  ]);
  expect(found).toEqual({
    installed: true,
    version: '1.2.3',
    agents: [
      { image: 'agent:2', digest: DIGEST, nodes: ['n2', 'n10'] },
      { image: 'agent:1', digest: '', nodes: ['n3'] },
    ],
  });
});

test('without a DaemonSet nothing is installed', async () => {
  expect(await versions(undefined, [])).toEqual({ installed: false, version: '', agents: [] });
});
