import { afterEach, expect, test } from 'vitest';
import { findAgents } from '../../../src/capture/agents/agents.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { type ApiServer, json, startApiServer, status } from '../../support/api-server.ts';

let server: ApiServer;
afterEach(() => server.close());

const agent = (node: string, ready: string, more: Record<string, unknown> = {}) => ({
  metadata: { name: `ksnoop-agent-${node}`, namespace: 'ksnoop', uid: node, ...more },
  spec: { nodeName: node, containers: [{ name: 'agent' }] },
  status: {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: ready }],
    containerStatuses: [
      ready === 'True'
        ? { name: 'agent', ready: true, state: { running: {} } }
        : { name: 'agent', state: { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "x"' } } },
    ],
  },
});

/** Agents on the nodes given; `objects` are other answers by path. */
async function agents(items: unknown[], objects: Record<string, unknown> = {}) {
  server = await startApiServer({
    onRequest: (request, response) => {
      const path = (request.url ?? '').split('?')[0] ?? '';
      if (path === '/api/v1/namespaces/ksnoop/pods') return json(response, 200, { metadata: {}, items });
      const found = objects[path];
      json(response, found ? 200 : 404, found ?? status(404, 'NotFound', 'not found'));
    },
  });
  return findAgents(await loadKube({ kubeconfig: server.kubeconfig() }), 'n1');
}

const DAEMONSET = '/apis/apps/v1/namespaces/ksnoop/daemonsets/ksnoop-agent';
const daemonSet = (spec: Record<string, unknown>) => ({ [DAEMONSET]: { spec: { template: { spec } } } });
const node = (spec: Record<string, unknown>, labels: Record<string, string> = {}) => ({
  '/api/v1/nodes/n1': { metadata: { labels }, spec, status: { conditions: [{ type: 'Ready', status: 'True' }] } },
});

test('the ready agent of a node, also beside one that is being replaced', async () => {
  const found = await agents([agent('n1', 'True', { deletionTimestamp: 'now', name: 'old' }), agent('n1', 'True')]);
  expect((await found.on('n1')).name).toBe('ksnoop-agent-n1');
  expect(server.seen).toHaveLength(1);
  expect(server.seen[0]).toContain('fieldSelector=spec.nodeName%3Dn1');
});

test('an agent that is not ready says why', async () => {
  const found = await agents([agent('n1', 'False')]);
  await expect(found.on('n1')).rejects.toMatchObject({
    code: 'AGENT_NOT_READY',
    message: 'The agent on node n1 (ksnoop-agent-n1) is not ready: ImagePullBackOff: Back-off pulling image "x".',
  });
});

test('no DaemonSet: not installed', async () => {
  const found = await agents([]);
  await expect(found.on('n1')).rejects.toMatchObject({
    code: 'AGENT_NOT_INSTALLED',
    hint: 'Install the agents: ksnoop install --image IMAGE. Or capture without agents, from within the pods: --agentless (needs create pods/exec and patch pods/ephemeralcontainers in their namespace; --dry-run checks that)',
  });
});

test('a node the DaemonSet does not cover: its taint, its label, its architecture', async () => {
  const taints = [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }];
  const tainted = await agents([], { ...daemonSet({}), ...node({ taints }) });
  await expect(tainted.on('n1')).rejects.toMatchObject({
    code: 'NO_AGENT_ON_NODE',
    message: 'Node n1 has no ksnoop agent: the DaemonSet does not tolerate its taint dedicated:NoSchedule.',
  });
  await server.close();
  const everything = { tolerations: [{ operator: 'Exists' }], nodeSelector: { 'kubernetes.io/os': 'linux' } };
  const windows = await agents([], {
    ...daemonSet(everything),
    ...node({ taints }, { 'kubernetes.io/os': 'windows' }),
  });
  await expect(windows.on('n1')).rejects.toThrow('kubernetes.io/os=linux, this one has windows');
  await server.close();
  const labels = { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 's390x' };
  const mainframe = await agents([], { ...daemonSet(everything), ...node({}, labels) });
  await expect(mainframe.on('n1')).rejects.toThrow('there is no agent for its architecture, s390x');
});

test('a node one may not look at still gets the plain error', async () => {
  const found = await agents([], daemonSet({}));
  await expect(found.on('n1')).rejects.toMatchObject({ message: 'Node n1 has no ksnoop agent.' });
});
