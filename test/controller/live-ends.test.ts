import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadKube } from '../../src/capture/kube/config.ts';
import type { Kube } from '../../src/capture/kube/kube.ts';
import { type PodView, podView } from '../../src/capture/kube/pod.ts';
import { AgentRecordings } from '../../src/capture/tenant/agent-recordings.ts';
import { captureView } from '../../src/controller/capture-object.ts';
import { Events } from '../../src/controller/events.ts';
import { COUNTS_SHARED_MS } from '../../src/controller/limits.ts';
import { LiveEnds } from '../../src/controller/live-ends.ts';
import { AgentPool } from '../../src/controller/recording/agent-pool.ts';
import { RecordTickets } from '../../src/controller/recording/record-tickets.ts';
import { type ObjectServer, podObject, startObjectServer } from '../support/object-server.ts';
import { CAPTURE_UID, madeCapture } from './made-capture.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const HANG_MS = 60_000;

let server: ObjectServer;
let kube: Kube;
/** What the agent of node1 answers; undefined: it breaks the connection. */
let answer: object | undefined;
let asked: number;
let agent: Server;
let messages: string[];
let ends: LiveEnds;
let pool: AgentPool;
const abort = new AbortController();

function pod(name: string, node: string): PodView {
  const made = podObject(name, { node });
  return podView({ ...made, metadata: { ...made.metadata, namespace: 'shop', uid: randomUUID() } });
}

beforeEach(async () => {
  [messages, asked, answer] = [[], 0, { recordings: [], captured: [] }];
  server = await startObjectServer();
  server.onWrite(({ path, body }) => {
    if (path.endsWith('/events')) messages.push(String(body.message));
    return body;
  });
  kube = await loadKube({ kubeconfig: server.api.kubeconfig() });
  agent = createServer((request, response) => {
    asked += 1;
    if (answer === undefined) request.socket.destroy();
    else response.end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(agent, 'listening');
  const agentPod = pod('agent', 'node1');
  const { port } = agent.address() as AddressInfo;
  pool = new AgentPool(() => new AgentRecordings(async () => connect(port, '127.0.0.1')));
  ends = new LiveEnds({
    pool,
    tickets: new RecordTickets(privateKey, Date.now),
    events: new Events(kube, 'controller', () => {}),
    agentOn: (node) => (node === 'node1' ? agentPod : undefined),
    signal: abort.signal,
  });
});
afterEach(async () => {
  pool.close();
  kube.close();
  agent.close();
  agent.closeAllConnections();
  await server.api.close();
});

const count = (packets: number, runs: boolean) => ({ capture: CAPTURE_UID, packets, bytes: 100 * packets, runs });
const end = (...pods: PodView[]) => ({ capture: captureView(madeCapture()), message: 'It was stopped.', pods });
const written = (length: number) =>
  vi.waitFor(() => expect(messages).toHaveLength(length), { timeout: HANG_MS, interval: 20 });

test('the events of an end have what the agents counted, once the sessions have ended', async () => {
  answer = { recordings: [], captured: [count(3, true)] };
  ends.add(end(pod('web', 'node1')));
  await vi.waitFor(() => expect(asked).toBeGreaterThan(0), { timeout: HANG_MS });
  expect(messages).toEqual([]);
  answer = { recordings: [], captured: [count(7, false)] };
  await written(2);
  expect(messages).toEqual([
    'alice captured all packets: 7 packets, 700 bytes. It was stopped.',
    'alice captured all packets (Capture one): 7 packets, 700 bytes on its node. It was stopped.',
  ]);
});

test('where one agent is not there, the whole is not known, and of the others what they counted', async () => {
  answer = { recordings: [], captured: [count(7, false)] };
  ends.add(end(pod('web', 'node1'), pod('other', 'node2')));
  await written(3);
  expect(messages).toEqual([
    'alice captured all packets. It was stopped.',
    'alice captured all packets (Capture one): 7 packets, 700 bytes on its node. It was stopped.',
    'alice captured all packets (Capture one). It was stopped.',
  ]);
});

test.each([
  ['does not answer', undefined],
  ['counts nothing, as an earlier version', { recordings: [] }],
  ['sends what is no count', { recordings: [], captured: [{ ...count(7, false), packets: -1 }] }],
  ['knows no such Capture', { recordings: [], captured: [] }],
])('an agent that %s leaves the events without an amount', async (_, given) => {
  answer = given;
  ends.add(end(pod('web', 'node1')));
  await written(2);
  expect(messages[0]).toBe('alice captured all packets. It was stopped.');
});

test('Captures that end together ask an agent once', async () => {
  answer = { recordings: [], captured: [count(7, false)] };
  const began = performance.now();
  for (let number = 0; number < 50; number += 1) ends.add(end(pod(`web-${number}`, 'node1')));
  const took = performance.now() - began;
  // Of one Capture here: one event of its own, and one of each pod.
  await written(51);
  if (took < COUNTS_SHARED_MS) expect(asked).toBe(1);
});
