// What status and doctor show of an agent whose container the kernel has killed.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { status } from '../../../src/capture/install/status.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import type { Kube } from '../../../src/capture/kube/kube.ts';
import { agents } from '../../../src/cli/doctor/agents.ts';
import { type ApiServer, status as failure, json, startApiServer } from '../../support/api-server.ts';

let server: ApiServer;
let kube: Kube;
/** How the agent's container ended last. */
let reason: string;

const DAEMON_SET = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'ksnoop-agent', namespace: 'ksnoop' },
  spec: { template: { spec: { containers: [{ name: 'agent', image: 'agent:1' }] } } },
  status: { desiredNumberScheduled: 1, numberReady: 1, updatedNumberScheduled: 1 },
};

const pod = () => ({
  metadata: { name: 'ksnoop-agent-1', namespace: 'ksnoop', uid: 'u' },
  spec: { nodeName: 'node1', containers: [{ name: 'agent' }] },
  status: {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [
      {
        name: 'agent',
        ready: true,
        restartCount: 1,
        state: { running: {} },
        lastState: { terminated: { reason, finishedAt: '2026-01-02T03:04:05Z' } },
      },
    ],
  },
});

const resources = (groupVersion: string, ...names: [string, string][]) => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: names.map(([name, kind]) => ({ name, kind, namespaced: kind !== 'Node', verbs: [] })),
});

beforeEach(async () => {
  server = await startApiServer({
    onRequest: (request, response) => {
      const [path = ''] = (request.url ?? '').split('?');
      const list = (kind: string, items: object[]) =>
        json(response, 200, { apiVersion: 'v1', kind: `${kind}List`, metadata: {}, items });
      if (path === '/apis/apps/v1') return json(response, 200, resources('apps/v1', ['daemonsets', 'DaemonSet']));
      if (path === '/api/v1') return json(response, 200, resources('v1', ['pods', 'Pod'], ['nodes', 'Node']));
      if (path.endsWith('/daemonsets/ksnoop-agent')) return json(response, 200, DAEMON_SET);
      if (path.endsWith('/pods')) return list('Pod', [pod()]);
      const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
      if (path.endsWith('/nodes')) return list('Node', [{ metadata: { name: 'node1' }, status: ready }]);
      json(response, 404, failure(404, 'NotFound', `${path} not found`));
    },
  });
  kube = await loadKube({ kubeconfig: server.kubeconfig() });
});
afterEach(async () => {
  kube.close();
  await server.close();
});

const WORDS = 'its container was killed: out of memory (OOMKilled at 2026-01-02T03:04:05.000Z)';
const look = () => agents.look({ kube, signal: new AbortController().signal } as Parameters<typeof agents.look>[0]);

test('an agent that is ready again after the kernel killed it for lack of memory shows it', async () => {
  reason = 'OOMKilled';
  const { nodes } = await status(kube);
  expect(nodes).toMatchObject([{ node: 'node1', state: 'ready', restarts: 1, reason: WORDS }]);
  expect(await look()).toMatchObject([{ message: `node node1: ready, ${WORDS}` }]);
});

test('one that ended for another reason is fine', async () => {
  reason = 'Completed';
  expect((await status(kube)).nodes).toMatchObject([{ state: 'ready', restarts: 1, reason: '' }]);
  expect(await look()).toMatchObject([{ message: '1 of 1 ready, image agent:1' }]);
});
