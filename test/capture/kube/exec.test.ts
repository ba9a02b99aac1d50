import { afterEach, expect, test } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { type ExecRequest, openExec } from '../../../src/capture/kube/exec.ts';
import { type ApiServer, type Behaviour, channel, refuse, startApiServer, status } from '../../support/api-server.ts';

let server: ApiServer;
afterEach(() => server.close());

const SUCCESS = JSON.stringify({ metadata: {}, status: 'Success' });

async function exec(behaviour: Behaviour, change: Partial<ExecRequest> = {}) {
  server = await startApiServer(behaviour);
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const stream = await openExec(kube, {
    namespace: 'shop',
    pod: 'web-1',
    container: 'nginx',
    command: ['cat', '/a b', 'ü&x=1'],
    stdin: true,
    onStdout: (bytes) => out.push(Buffer.from(bytes)),
    onStderr: (bytes) => err.push(Buffer.from(bytes)),
    ...change,
  });
  return { stream, text: () => Buffer.concat(out).toString(), errorText: () => Buffer.concat(err).toString() };
}

test('carries both outputs and the exit code, and the words as they are', async () => {
  const { stream, text, errorText } = await exec({
    onExec: (socket) => {
      socket.send(channel(1, ''));
      socket.send(channel(1, 'hello '));
      socket.send(channel(2, 'oops'));
      socket.send(channel(1, 'world'));
      const failure = {
        status: 'Failure',
        reason: 'NonZeroExitCode',
        details: { causes: [{ reason: 'ExitCode', message: '42' }] },
      };
      socket.send(channel(3, JSON.stringify(failure)));
      socket.close(1000);
    },
  });
  expect(await stream.ended).toEqual({ kind: 'exited', code: 42 });
  expect(text()).toBe('hello world');
  expect(errorText()).toBe('oops');
  const asked = new URL(server.seen[0]?.split(' ')[1] ?? '', 'https://x');
  expect(asked.pathname).toBe('/api/v1/namespaces/shop/pods/web-1/exec');
  expect(asked.searchParams.getAll('command')).toEqual(['cat', '/a b', 'ü&x=1']);
  expect(asked.searchParams.get('stdin')).toBe('true');
});

test('writes stdin, closes it on v5 and leaves unknown channels alone', async () => {
  const { stream, text } = await exec({
    onExec: (socket) => {
      socket.send(channel(9, 'what is this'));
      socket.send(channel(255, Uint8Array.of(1)));
      socket.on('message', (data: Buffer) => {
        if (data[0] === 0) socket.send(channel(1, data.subarray(1)));
        if (data[0] === 255 && data[1] === 0) {
          socket.send(channel(3, SUCCESS));
          socket.close(1000);
        }
      });
    },
  });
  await stream.write('one\n');
  await stream.write(Buffer.from('two\n'));
  expect(stream.canEndStdin).toBe(true);
  stream.endStdin();
  expect(await stream.ended).toEqual({ kind: 'exited', code: 0 });
  expect(text()).toBe('one\ntwo\n');
});

test('on v4 stdin is not ended, because that would cut the output', async () => {
  const received: number[] = [];
  const { stream } = await exec({
    protocols: ['v4.channel.k8s.io'],
    onExec: (socket) => {
      socket.on('message', (data: Buffer) => {
        received.push(data[0] ?? -1);
        if (data.subarray(1).toString() === 'stop') socket.send(channel(3, SUCCESS));
      });
    },
  });
  expect(stream.canEndStdin).toBe(false);
  stream.endStdin();
  await stream.write('stop');
  expect(await stream.ended).toEqual({ kind: 'exited', code: 0 });
  expect(received).toEqual([0]);
});

test('a cut socket is a lost stream, with what came before', async () => {
  const { stream, text } = await exec({
    onExec: (socket) => {
      socket.send(channel(1, 'partial'), () => setTimeout(() => server.cut(), 20));
    },
  });
  const end = await stream.ended;
  expect(end.kind).toBe('lost');
  expect(end.kind === 'lost' && end.error.message).toBe('The stream from shop/web-1 broke: the connection was cut.');
  expect(text()).toBe('partial');
});

test('a close without a status is a lost stream, not a success', async () => {
  const { stream } = await exec({ onExec: (socket) => socket.close(1000) });
  const end = await stream.ended;
  expect(end.kind === 'lost' && end.error.code).toBe('STREAM_LOST');
});

test('a command that cannot be started fails with the words of the server', async () => {
  const { stream } = await exec({
    onExec: (socket) => {
      const failure = {
        status: 'Failure',
        reason: 'InternalError',
        message: 'exec: "nope": executable file not found',
      };
      socket.send(channel(3, JSON.stringify(failure)));
      socket.close(1000);
    },
  });
  const end = await stream.ended;
  expect(end.kind === 'failed' && end.error.message).toContain('executable file not found');
});

test('a refused upgrade names the rule that is missing', async () => {
  const words =
    'pods "web-1" is forbidden: User "eve" cannot create resource "pods/exec" in API group "" in the namespace "shop"';
  await expect(
    exec({
      onUpgrade: (_, socket) => {
        refuse(socket, 403, status(403, 'Forbidden', words));
        return true;
      },
    }),
  ).rejects.toMatchObject({
    code: 'FORBIDDEN',
    message: expect.stringContaining('User "eve" cannot create resource "pods/exec"'),
    hint: expect.stringContaining('- {apiGroups: [""], resources: ["pods/exec"], verbs: ["get", "create"]}'),
  });
});

test('an aborted signal ends the stream', async () => {
  server = await startApiServer({ onExec: () => {} });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  const abort = new AbortController();
  const nothing = () => {};
  const request = { namespace: 'a', pod: 'b', container: 'c', command: ['x'], stdin: false };
  const stream = await openExec(kube, { ...request, onStdout: nothing, onStderr: nothing }, abort.signal);
  abort.abort();
  expect((await stream.ended).kind).toBe('lost');
});

test('while the reader pauses, nothing piles up here', async () => {
  const total = 256 * 1024 * 1024;
  const piece = Buffer.alloc(32 * 1024, 1);
  let sentBytes = 0;
  let taken = 0;
  const { stream } = await exec(
    {
      onExec: (socket) => {
        const more = () => {
          while (socket.readyState === 1 && sentBytes < total && socket.bufferedAmount < 4 * piece.length) {
            socket.send(channel(1, piece), more);
            sentBytes += piece.length;
          }
          if (sentBytes >= total && socket.bufferedAmount === 0) {
            socket.send(channel(3, SUCCESS));
            socket.close(1000);
          }
        };
        more();
      },
    },
    {
      onStdout: (bytes) => {
        taken += bytes.length;
      },
    },
  );
  while (taken < 1024 * 1024) await new Promise((resolve) => setTimeout(resolve, 1));
  stream.pause();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const whilePaused = taken;
  expect(sentBytes - taken).toBeLessThan(16 * 1024 * 1024);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(taken).toBe(whilePaused);
  stream.resume();
  expect(await stream.ended).toEqual({ kind: 'exited', code: 0 });
  expect(taken).toBe(total);
});
