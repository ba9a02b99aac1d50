import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { ownConnectionFilter } from '../../../src/capture/agents/own-connection.ts';
import type { Kube } from '../../../src/capture/kube/kube.ts';

const kube = (server: string, proxy?: string) => ({ server: new URL(server), proxy }) as Kube;

test('the connections of this machine to the API server are named by the address it is reached from', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    expect(await ownConnectionFilter(kube(`https://127.0.0.1:${port}/prefix`))).toBe(
      `host 127.0.0.1 and (tcp port ${port} or tcp port 6443)`,
    );
    expect(await ownConnectionFilter(kube(`https://127.0.0.1:${port}`, 'http://proxy:3128'))).toBe(undefined);
  } finally {
    server.close();
  }
});

test('nothing is left out where the API server is not reached', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  expect(await ownConnectionFilter(kube(`https://127.0.0.1:${port}`))).toBe(undefined);
});
