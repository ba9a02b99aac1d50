import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { openPortForward } from '../../../src/capture/kube/port-forward.ts';
import { type ApiServer, type Behaviour, channel, refuse, startApiServer, status } from '../../support/api-server.ts';

let server: ApiServer;
afterEach(() => server.close());

const PORT = Uint8Array.of(0x67, 0x25);
const v4 = { protocols: ['v4.channel.k8s.io'] };

async function forward(behaviour: Behaviour) {
  server = await startApiServer({ ...v4, ...behaviour });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  return openPortForward(kube, { namespace: 'ksnoop', pod: 'agent-1', port: 9575 });
}

test('carries bytes both ways, without the port that comes first', async () => {
  const connection = await forward({
    onExec: (socket) => {
      socket.send(channel(0, PORT));
      socket.send(channel(1, PORT));
      socket.on('message', (data: Buffer) => {
        socket.send(channel(data[0] ?? 9, data.subarray(1)));
        socket.close(1000);
      });
    },
  });
  connection.write('hello');
  let said = '';
  connection.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await once(connection, 'close');
  expect(said).toBe('hello');
  expect(server.seen).toEqual(['UPGRADE /api/v1/namespaces/ksnoop/pods/agent-1/portforward?ports=9575']);
});

test.each([
  ['with the answer', 0],
  ['a moment later', 5],
])('a port nobody listens at, as told %s, breaks the connection and not the program', async (_, delay) => {
  // Nobody listens for its error, as between two steps of whoever asked for it.
  const failure = await forward({
    onExec: async (socket) => {
      if (delay > 0) await sleep(delay);
      for (const message of [channel(0, PORT), channel(1, PORT), channel(1, 'connection refused')])
        socket.send(message);
    },
  }).then(
    async (connection) => {
      while (!connection.destroyed) await sleep(5);
      return connection.errored;
    },
    (thrown: unknown) => thrown,
  );
  expect(failure).toMatchObject({
    code: 'PORT_FORWARD_FAILED',
    message: expect.stringContaining('connection refused'),
  });
});

test('a refusal names the rule that is missing', async () => {
  const words = 'pods "agent-1" is forbidden: User "eve" cannot create resource "pods/portforward"';
  const refused = forward({
    onUpgrade: (_, socket) => {
      refuse(socket, 403, status(403, 'Forbidden', words));
      return true;
    },
  });
  await expect(refused).rejects.toMatchObject({
    code: 'FORBIDDEN',
    hint: expect.stringContaining('resources: ["pods/portforward"], verbs: ["get", "create"]'),
  });
});

test('a connection that is cut ends', async () => {
  const connection = await forward({ onExec: () => setTimeout(() => server.cut(), 20) });
  connection.resume();
  await once(connection, 'close');
  expect(connection.destroyed).toBe(true);
});
