import { expect, test } from 'vitest';
import { agentless } from '../../../src/capture/agentless/agentless-transport.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { PROTOCOL_TEXT } from '../../../src/wire/version.ts';
import { startApiServer } from '../../support/api-server.ts';

const TARGET = {
  key: 'u',
  kind: 'pod',
  namespace: 'shop',
  pod: 'web-1',
  uid: 'u',
  containers: [{ name: 'web', id: 'c' }],
} as const;

test('a capture of nothing but a pod in the network of its node is refused, and ends', async () => {
  const server = await startApiServer({});
  try {
    const kube = await loadKube({ kubeconfig: server.kubeconfig() });
    const events: { type: string; code?: string; hint?: string }[] = [];
    const handlers = {
      stdout: () => {},
      stderr: (bytes: Uint8Array) => events.push(JSON.parse(Buffer.from(bytes).toString())),
    };
    const open = agentless(kube, { mode: 'existing', image: 'probe:1', program: undefined });
    const transport = await open(handlers, new AbortController().signal);
    const request = {
      type: 'capture',
      protocol: PROTOCOL_TEXT,
      session: 'a'.repeat(32),
      targets: [{ ...TARGET, hostNetwork: true }],
      interface: 'any',
      snaplen: 100,
      maxDurationMs: 60_000,
    };
    transport.write(`${JSON.stringify(request)}\n`);
    await expect.poll(() => events.at(-1)?.type).toBe('end');
    expect(events.find(({ type }) => type === 'target-failed')).toMatchObject({
      code: 'AGENTLESS_REFUSED',
      hint: expect.stringContaining('--agentless=node'),
    });
  } finally {
    await server.close();
  }
});
