import { createServer } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { get } from '../../../src/capture/kube/api.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { openExec } from '../../../src/capture/kube/exec.ts';
import {
  CONNECT_TIMEOUT_MS,
  HANDSHAKE_TIMEOUT_MS,
  PING_INTERVAL_MS,
  RESPONSE_TIMEOUT_MS,
} from '../../../src/capture/kube/limits.ts';
import { openPortForward } from '../../../src/capture/kube/port-forward.ts';
import { BUSY_PARTS } from '../../../src/wire/deadline.ts';
import { type ApiServer, channel, startApiServer } from '../../support/api-server.ts';

/** Real sockets, but ksnoop's own clock is turned on by hand: nobody waits half a minute for a test. */
let server: ApiServer;
afterEach(async () => {
  vi.useRealTimers();
  await server.close();
});

const moment = (milliseconds: number) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  realTimeout(resolve, milliseconds);
  return promise;
};
const realTimeout = globalThis.setTimeout;

/** Let a deadline pass at once: the event loop is never idle meanwhile. */
const pass = (milliseconds: number) => void vi.advanceTimersByTime(BUSY_PARTS * milliseconds + 1);

test('a server that takes the connection and never speaks TLS', async () => {
  server = await startApiServer({});
  const connected = Promise.withResolvers<void>();
  const silent = createServer(() => connected.resolve());
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  const url = `https://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const kube = await loadKube({ kubeconfig: server.kubeconfig({ cluster: { server: url } }) });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const answer = expect(get(kube, '/api')).rejects.toMatchObject({
    code: 'TIMEOUT',
    message: `The cluster "test" (${url}) cannot be reached: no connection within 10 s.`,
  });
  await connected.promise;
  pass(CONNECT_TIMEOUT_MS);
  await answer;
  silent.close();
});

test('a server that takes the request and never answers', async () => {
  const asked = Promise.withResolvers<void>();
  server = await startApiServer({ onRequest: () => asked.resolve() });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const answer = expect(get(kube, '/api')).rejects.toMatchObject({
    code: 'TIMEOUT',
    message: expect.stringContaining('does not answer: nothing came within 30 s'),
  });
  await asked.promise;
  pass(RESPONSE_TIMEOUT_MS);
  await answer;
});

test('an answer that has arrived counts, however late the event loop is', async () => {
  server = await startApiServer({
    // The whole time passes in one turn, in which the answer has left.
    onRequest: (_, response) => void response.end('{}', () => pass(RESPONSE_TIMEOUT_MS)),
  });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  expect(await get(kube, '/api')).toEqual({});
});

test('an upgrade that is not answered', async () => {
  const asked = Promise.withResolvers<void>();
  server = await startApiServer({
    onUpgrade: () => {
      asked.resolve();
      return true;
    },
  });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const request = { namespace: 'a', pod: 'b', container: 'c', command: ['x'], stdin: false };
  const answer = expect(openExec(kube, { ...request, onStdout: () => {}, onStderr: () => {} })).rejects.toMatchObject({
    code: 'TIMEOUT',
    message: expect.stringContaining('does not answer: nothing came within 30 s'),
  });
  await asked.promise;
  pass(HANDSHAKE_TIMEOUT_MS);
  await answer;
});

test('a refusal whose text stops before its end is a refusal', async () => {
  const asked = Promise.withResolvers<void>();
  server = await startApiServer({
    onRequest: (_, response) => {
      response.writeHead(403, { 'content-length': '1000' });
      response.write('{"kind":"Status"');
      asked.resolve();
      return true;
    },
  });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const answer = expect(get(kube, '/api')).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await asked.promise;
  await moment(50);
  pass(RESPONSE_TIMEOUT_MS);
  await answer;
});

async function silentExec() {
  server = await startApiServer({
    answersPings: false,
    onExec: (socket) => socket.send(channel(1, 'one')),
  });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const request = { namespace: 'a', pod: 'b', container: 'c', command: ['x'], stdin: false };
  const stream = await openExec(kube, { ...request, onStdout: () => {}, onStderr: () => {} });
  await moment(50);
  return stream;
}

test('an exec whose peer went without a word is noticed by its missing pong', async () => {
  const stream = await silentExec();
  vi.advanceTimersByTime(PING_INTERVAL_MS);
  await moment(20);
  vi.advanceTimersByTime(PING_INTERVAL_MS);
  const end = await stream.ended;
  expect(end.kind === 'lost' && end.error.message).toBe('The stream from a/b broke: nothing came back for 40 s.');
});

test('while paused no pong can be read, so none is missed', async () => {
  const stream = await silentExec();
  stream.pause();
  for (let i = 0; i < 5; i++) {
    vi.advanceTimersByTime(PING_INTERVAL_MS);
    await moment(5);
  }
  let ended = false;
  stream.ended.then(() => {
    ended = true;
  });
  await moment(20);
  expect(ended).toBe(false);
  stream.terminate();
  expect((await stream.ended).kind).toBe('lost');
});

async function silentPortForward() {
  server = await startApiServer({ protocols: ['v4.channel.k8s.io'], answersPings: false });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  return openPortForward(kube, { namespace: 'a', pod: 'b', port: 1 });
}

test('a port-forward whose peer went without a word is noticed by its missing pong', async () => {
  const connection = await silentPortForward();
  const closed = new Promise((resolve) => connection.once('close', resolve));
  connection.resume();
  vi.advanceTimersByTime(PING_INTERVAL_MS);
  await moment(20);
  expect(connection.destroyed).toBe(false);
  vi.advanceTimersByTime(PING_INTERVAL_MS);
  await closed;
  expect(connection.errored?.message).toBe('The port-forward to a/b:1 failed: nothing came back for 40 s');
});
