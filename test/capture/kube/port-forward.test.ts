import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { openPortForward } from '../../../src/capture/kube/port-forward.ts';
import { channel, startApiServer } from '../../support/api-server.ts';

const PORT = Buffer.from([0x25, 0x67]);

test.each([
  ['with the answer', 0],
  ['a moment later', 5],
])('a port nobody listens at, as told %s, breaks the connection and not the program', async (_, delay) => {
  const server = await startApiServer({
    protocols: ['v4.channel.k8s.io'],
    onExec: async (socket) => {
      if (delay > 0) await sleep(delay);
      for (const message of [channel(0, PORT), channel(1, PORT), channel(1, 'connection refused')])
        socket.send(message);
    },
  });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  try {
    // Nobody listens for its error, as between two steps of whoever asked for it.
    const failure = await openPortForward(kube, { namespace: 'ksnoop', pod: 'agent', port: 9575 }).then(
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
  } finally {
    kube.close();
    await server.close();
  }
});
