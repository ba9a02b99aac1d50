import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { openExecConnection } from '../../../src/capture/agents/exec-connection.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { type ApiServer, type Behaviour, channel, startApiServer } from '../../support/api-server.ts';

let server: ApiServer;
afterEach(() => server.close());

const SUCCESS = JSON.stringify({ metadata: {}, status: 'Success' });

async function connect(behaviour: Behaviour) {
  server = await startApiServer(behaviour);
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  return openExecConnection(kube, 'ksnoop-agent-x', 'port', new AbortController().signal);
}

test('carries bytes both ways, and its end ends the program’s stdin', async () => {
  const stdin: Buffer[] = [];
  let ended = false;
  const connection = await connect({
    onExec: (socket) => {
      socket.on('message', (data: Buffer) => {
        if (data[0] === 0) {
          stdin.push(data.subarray(1));
          socket.send(channel(1, `heard ${data.toString('utf8', 1)}`));
        }
        if (data[0] !== 255) return;
        ended = true;
        socket.send(channel(3, SUCCESS));
        socket.close(1000);
      });
    },
  });
  connection.write('hello');
  const [answer] = await once(connection, 'data');
  expect(String(answer)).toBe('heard hello');
  connection.end();
  await once(connection, 'close');
  expect(ended).toBe(true);
  expect(Buffer.concat(stdin).toString()).toBe('hello');
  const command = new URL(server.seen[0]?.split(' ')[1] ?? '', 'https://x').searchParams.getAll('command');
  expect(command).toEqual(['/bin/nc.openbsd', '-N', '127.0.0.1', '9575']);
});

test('what is written together leaves in one message', async () => {
  const messages: string[] = [];
  const connection = await connect({
    onExec: (socket) => {
      socket.on('message', (data: Buffer) => {
        if (data[0] === 0) messages.push(data.toString('utf8', 1));
        if (data[0] === 255) socket.send(channel(3, SUCCESS));
      });
    },
  });
  connection.cork();
  for (const word of ['one ', 'two ', 'three']) connection.write(word);
  connection.uncork();
  connection.end();
  await once(connection, 'close');
  expect(messages).toEqual(['one two three']);
});

const failure = (code: number) =>
  JSON.stringify({
    status: 'Failure',
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  });

test.each([
  [
    'no agent listens',
    [channel(2, 'nc: connect failed\n'), channel(3, failure(1))],
    'NO_AGENT_AT_PORT',
    /: nc: connect failed\.$/,
  ],
  ['the program says nothing', [channel(3, failure(127))], 'NO_AGENT_AT_PORT', /nc ended with code 127/],
  [
    'there is no such program',
    [channel(3, JSON.stringify({ status: 'Failure', message: 'executable file not found' }))],
    'EXEC_FAILED',
    /executable file not found/,
  ],
  ['the connection is cut', [], 'STREAM_LOST', /broke/],
])('where %s, it is destroyed with the reason', async (_, messages, code, message) => {
  const connection = await connect({
    onExec: (socket) => {
      // The test listens by then.
      setTimeout(() => {
        for (const each of messages) socket.send(each);
        if (messages.length > 0) socket.close(1000);
        else socket.terminate();
      }, 50);
    },
  });
  const [error] = await once(connection, 'error');
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
});
