import { expect, test } from 'vitest';
import { agentless } from '../../../src/capture/agentless/agentless-transport.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { PROTOCOL_TEXT } from '../../../src/wire/version.ts';
import { channel, json, startApiServer, status } from '../../support/api-server.ts';

const TARGET = {
  key: 'u',
  kind: 'pod',
  namespace: 'shop',
  pod: 'web-1',
  uid: 'u',
  containers: [{ name: 'web', id: 'c' }],
} as const;

interface Event {
  readonly type: string;
  readonly code?: string;
  readonly hint?: string;
}

/** Why the only target of a capture by `existing` failed, once the capture has ended. */
async function failureOf(kubeconfig: string, target: object): Promise<Event | undefined> {
  const kube = await loadKube({ kubeconfig });
  const events: Event[] = [];
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
    targets: [target],
    interface: 'any',
    snaplen: 100,
    maxDurationMs: 60_000,
  };
  transport.write(`${JSON.stringify(request)}\n`);
  await expect.poll(() => events.at(-1)?.type).toBe('end');
  return events.find(({ type }) => type === 'target-failed');
}

test('a capture of nothing but a pod in the network of its node is refused, and ends', async () => {
  const server = await startApiServer({});
  try {
    expect(await failureOf(server.kubeconfig(), { ...TARGET, hostNetwork: true })).toMatchObject({
      code: 'AGENTLESS_REFUSED',
      hint: expect.stringContaining('--agentless=node'),
    });
  } finally {
    await server.close();
  }
});

test.each([
  ['refused by a policy', 403, 'violates PodSecurity "restricted:latest"', false],
  ['admitted', 200, '', true],
] as const)('a tcpdump that may not capture, where an ephemeral container is %s', async (_, code, words, suggested) => {
  const server = await startApiServer({
    onRequest: (_request, response) => json(response, code, code === 200 ? {} : status(code, 'Forbidden', words)),
    onExec: (socket, { url = '' }) => {
      if (url.includes('CapEff')) {
        socket.send(channel(1, 'tcpdump\ncapabilities 0000000000000000\n'));
        socket.send(channel(3, '{"status":"Success"}'));
      } else {
        socket.send(channel(2, "tcpdump: any: You don't have permission to perform this capture on that device\n"));
        socket.send(
          channel(
            3,
            '{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"1"}]}}',
          ),
        );
      }
      socket.close();
    },
  });
  try {
    const failed = await failureOf(server.kubeconfig(), { ...TARGET, hostNetwork: false });
    expect(failed).toMatchObject({ code: 'TCPDUMP_ENDED', hint: expect.stringContaining('--agentless=node') });
    expect(failed?.hint?.includes('--agentless=ephemeral')).toBe(suggested);
  } finally {
    await server.close();
  }
});
