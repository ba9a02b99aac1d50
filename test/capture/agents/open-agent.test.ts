import { afterEach, expect, test } from 'vitest';
import { AgentAccess } from '../../../src/capture/agents/open-agent.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { type ApiServer, json, startApiServer, status } from '../../support/api-server.ts';

let server: ApiServer;
afterEach(() => server.close());

const OOM = { reason: 'OOMKilled', finishedAt: '2026-11-29T09:00:00Z' };

/** Why the session before was lost, as each attempt to reach an agent says it. Each attempt finds the next state of its container. */
async function explanations(states: readonly Record<string, unknown>[]) {
  let lists = 0;
  const pod = (state: Record<string, unknown>) => ({
    metadata: { name: 'ksnoop-agent-x', namespace: 'ksnoop', uid: 'u' },
    spec: { nodeName: 'n1', containers: [{ name: 'agent' }] },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ name: 'agent', ready: true, state: { running: {} }, ...state }],
    },
  });
  server = await startApiServer({
    onRequest: (request, response) => {
      if (!request.url?.startsWith('/api/v1/namespaces/ksnoop/pods?'))
        return json(response, 404, status(404, 'NotFound', 'x'));
      const state = states[lists] ?? {};
      lists += 1;
      json(response, 200, { metadata: {}, items: [pod(state)] });
    },
    onExec: (socket) => socket.close(),
  });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  const preference = { transport: 'exec', resumeWindowMs: 10_000, compress: 'off' } as const;
  const open = new AgentAccess(kube, preference, new AbortController().signal).on('n1');
  const said: string[][] = [];
  for (const _ of states) {
    const reasons: string[] = [];
    said.push(reasons);
    const handlers = { stdout: () => {}, stderr: () => {}, explainLoss: (reason: string) => void reasons.push(reason) };
    await open(handlers, new AbortController().signal).catch(() => {});
  }
  return said;
}

test('who may not see the agents is told how to capture without them', async () => {
  const words = 'pods is forbidden: User "dev" cannot list resource "pods" in API group "" in the namespace "ksnoop"';
  server = await startApiServer({ onRequest: (_, response) => json(response, 403, status(403, 'Forbidden', words)) });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  const preference = { transport: 'exec', resumeWindowMs: 10_000, compress: 'off' } as const;
  const { signal } = new AbortController();
  const opened = new AgentAccess(kube, preference, signal).on('n1')({ stdout: () => {}, stderr: () => {} }, signal);
  await expect(opened).rejects.toMatchObject({ code: 'FORBIDDEN', hint: expect.stringContaining('--agentless') });
});

test('an agent whose container was killed since then says so; what was before the capture explains nothing', async () => {
  const before = { restartCount: 1, lastState: { terminated: OOM } };
  const killed = { restartCount: 2, lastState: { terminated: OOM } };
  const crashed = { restartCount: 3, lastState: { terminated: { reason: 'Error', exitCode: 1 } } };
  expect(await explanations([before, before, killed, killed, crashed])).toEqual([
    [],
    [],
    ["The agent's container on node n1 was killed: out of memory (OOMKilled at 2026-11-29T09:00:00Z)."],
    [],
    [],
  ]);
});

test('agents that need tickets at their port are reached by exec at their socket, on all nodes at once', async () => {
  const agent = (node: string) => ({
    metadata: { name: `agent-${node}`, namespace: 'ksnoop', uid: node },
    spec: { nodeName: node, containers: [{ name: 'agent' }] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  });
  server = await startApiServer({
    onRequest: (_, response) => json(response, 200, { metadata: {}, items: [agent('n1'), agent('n2')] }),
    onExec: (socket, request) => {
      const atSocket = request.url?.includes('sessions.sock');
      const answer = atSocket ? '507 Insufficient Storage' : '401 Unauthorized\r\nksnoop-refusal: missing';
      socket.once('message', () => socket.send(Buffer.from(`\u0001HTTP/1.1 ${answer}\r\ncontent-length: 0\r\n\r\n`)));
    },
  });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  const { signal } = new AbortController();
  const preference = { transport: 'exec', resumeWindowMs: 10_000, compress: 'off' } as const;
  const agents = new AgentAccess(kube, preference, signal);
  const sinks = { stdout: () => {}, stderr: () => {} };
  const opened = await Promise.allSettled(['n1', 'n2', 'n1'].map((node) => agents.on(node)(sinks, signal)));
  expect(opened.map((each) => each.status === 'rejected' && each.reason.code)).toEqual(Array(3).fill('NO_MEMORY'));
});
