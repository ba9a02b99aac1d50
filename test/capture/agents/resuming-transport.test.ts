import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { listenForSessions } from '../../../src/agent/listener/session-listener.ts';
import { resumingTransport } from '../../../src/capture/agents/resuming-transport.ts';
import { refusal } from '../../../src/capture/kube/failures.ts';
import type { Kube } from '../../../src/capture/kube/kube.ts';
import type { AgentTransport } from '../../../src/capture/streams/transport.ts';
import { carriedAgent } from '../../support/carried-agent.ts';
import { countedBytes } from '../../support/counted-bytes.ts';
import { CuttingProxy } from '../../support/cutting-proxy.ts';
import { Random } from '../../support/random.ts';

const cleanup: (() => void)[] = [];
afterEach(() => {
  for (const undo of cleanup.splice(0)) undo();
});

/** A listener, its sessions, and a client whose connection goes through a proxy that cuts it. */
async function conversation(
  options: {
    windowMs?: number;
    budgets?: number[];
    compress?: 'on' | 'off' | 'auto';
    opening?: string;
    /** What connections behind the first one fail with, in their order, before any succeeds. */
    failures?: Error[];
  } = {},
) {
  const sessions: ReturnType<typeof carriedAgent>[] = [];
  const ends: number[] = [];
  const door = listenForSessions({
    port: 0,
    start: (ended) => {
      const session = carriedAgent((code) => {
        ends.push(code);
        ended();
      });
      sessions.push(session);
      return session;
    },
  });
  await new Promise((resolve) => door.once('listening', resolve));
  const address = door.address();
  const proxy = new CuttingProxy(typeof address === 'object' && address !== null ? address.port : 0);
  proxy.budgets.push(...(options.budgets ?? []));
  const port = await proxy.listen();
  const seen = { bytes: 0, wrong: -1, errors: '', notes: [] as string[] };
  /** What the client's connections were given at once: text of a handshake, else how many bytes. */
  const written: (string | number)[] = [];
  const failures = [...(options.failures ?? [])];
  const open = resumingTransport({
    name: 'test',
    dial: async () => {
      const failure = written.length === 0 ? undefined : failures.shift();
      if (failure !== undefined) throw failure;
      return noted(connect(port, '127.0.0.1'), written);
    },
    windowMs: options.windowMs ?? 100_000,
    compress: options.compress ?? 'off',
    handshakeMs: 5_000,
  });
  /** What had been written when other requests might begin. */
  let before: readonly (string | number)[] | undefined;
  const handlers = {
    underWay: () => {
      before ??= [...written];
    },
    stdout: (chunk: Uint8Array) => {
      if (seen.wrong < 0 && !countedBytes(seen.bytes, chunk.length).equals(chunk)) seen.wrong = seen.bytes;
      seen.bytes += chunk.length;
    },
    stderr: (chunk: Uint8Array) => {
      seen.errors += Buffer.from(chunk).toString('utf8');
    },
    note: (text: string) => void seen.notes.push(text),
    opening: options.opening,
  };
  const transport: AgentTransport = await open(handlers, new AbortController().signal);
  cleanup.push(() => {
    transport.terminate();
    proxy.close();
    door.close();
    for (const session of sessions) session.abandon();
  });
  return { transport, proxy, seen, sessions, ends, written, before: () => before };
}

/** A connection that notes what it is given at once, as those through the API server send it. */
function noted(socket: Socket, written: (string | number)[]): Duplex {
  const note = (bytes: Buffer) => void written.push(bytes[0] === 0x47 ? bytes.toString('latin1') : bytes.length);
  const connection = new Duplex({
    allowHalfOpen: false,
    read: () => void socket.resume(),
    write: (chunk: Buffer, _, done) => {
      note(chunk);
      socket.write(chunk, () => done());
    },
    writev: (chunks, done) => {
      const bytes = Buffer.concat(chunks.map(({ chunk }) => chunk));
      note(bytes);
      socket.write(bytes, () => done());
    },
    final: (done) => void socket.end(() => done()),
    destroy: (_, done) => {
      socket.destroy();
      done(null);
    },
  });
  socket.on('data', (chunk) => {
    if (!connection.push(chunk)) socket.pause();
  });
  socket.on('close', () => {
    if (!connection.readableEnded) connection.push(null);
    connection.destroy();
  });
  socket.on('error', () => connection.destroy());
  return connection;
}

async function until(condition: () => boolean, milliseconds = 120_000): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > end) throw new Error('it did not come to that');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('the request leaves with the first messages: one behind them would wait for their acknowledgement', async () => {
  const { transport, seen, written } = await conversation();
  transport.write('1000\n');
  await until(() => seen.bytes === 1000);
  // The handshake; then three acknowledgements (a header of 6 bytes and 8 of a frame each) and the request.
  expect(written.slice(0, 2)).toEqual([expect.stringMatching(/^GET /), 3 * (6 + 8) + 6 + 8 + '1000\n'.length]);
});

test('what a session begins with leaves with the handshake, and the agent takes it once', async () => {
  const { transport, seen, written, before } = await conversation({ opening: '1000\n' });
  expect(transport.openingSent).toBe(true);
  await until(() => seen.bytes === 1000);
  // One piece: the handshake, three acknowledgements and the line.
  expect(written[0]).toMatch(/^GET [\s\S]*\r\n\r\n[\s\S]/);
  // Requests of others begin when it has left, and do not wait for the answer.
  expect(before()).toEqual([written[0]]);
  transport.write('end\n');
  expect(await transport.ended).toEqual({ kind: 'exited', code: 7 });
  expect(seen).toMatchObject({ bytes: 1000, errors: 'sent 1000\nheard 1000 end\n' });
});

test('a longer beginning waits for the answer: with it the agent would not read the handshake', async () => {
  const { transport, seen, written } = await conversation({ opening: `${'0'.repeat(8_000)}1000\n` });
  expect(transport.openingSent).toBe(true);
  await until(() => seen.bytes === 1000);
  expect(written[0]).toMatch(/\r\n\r\n$/);
});

test('a refusal reaches the client although it has sent its beginning already', async () => {
  const start = () => {
    throw new Error('no session is to be started');
  };
  const listener = listenForSessions({ port: 0, start, admits: () => false });
  cleanup.push(() => listener.close());
  await new Promise((resolve) => listener.once('listening', resolve));
  const address = listener.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const open = resumingTransport({
    name: 'test',
    dial: async () => connect(port, '127.0.0.1'),
    windowMs: 100_000,
    compress: 'off',
    handshakeMs: 100_000,
  });
  const handlers = { stdout: () => {}, stderr: () => {}, opening: `${'x'.repeat(3_000)}\n` };
  await expect(open(handlers, new AbortController().signal)).rejects.toMatchObject({ code: 'NO_MEMORY' });
});

test('without such a beginning nothing is reported to be sent', async () => {
  const { transport } = await conversation();
  expect(transport.openingSent).toBe(false);
});

test('carries the three streams and the exit code', async () => {
  const { transport, seen, ends } = await conversation();
  transport.write('250000\n');
  await until(() => seen.errors.includes('sent 250000'));
  transport.write('end\n');
  expect(await transport.ended).toEqual({ kind: 'exited', code: 7 });
  // The session does not outlive the client's goodbye.
  await until(() => ends.length > 0);
  expect(ends).toEqual([7]);
  expect(seen).toMatchObject({ bytes: 250_000, wrong: -1, errors: 'sent 250000\nheard 250000 end\n', notes: [] });
});

const CUTS = [1, 2, 3, 4].flatMap((seed) => (['off', 'on'] as const).map((compress) => [seed, compress] as const));
test.each(CUTS)(
  'any cuts within the window leave the same bytes, none twice, none missing (%i, zstd %s)',
  async (seed, compress) => {
    const random = new Random(seed);
    const total = 4_000_000;
    // The first answer is let through: a session that was never opened is another matter.
    const budgets = Array.from({ length: 6 }, (_, index) => (index === 0 ? 400 : 0) + random.below(900_000));
    const { transport, seen, proxy } = await conversation({ budgets, compress });
    transport.write(`${total}\n`);
    for (let line = 0; line < 20; line += 1) transport.write(`line${line}\n`);
    await until(() => seen.bytes >= total || seen.wrong >= 0);
    await until(() => seen.errors.includes('sent'));
    transport.write('end\n');
    expect(await transport.ended).toEqual({ kind: 'exited', code: 7 });
    expect(seen.bytes).toBe(total);
    expect(seen.wrong).toBe(-1);
    const lines = Array.from({ length: 20 }, (_, line) => `line${line}`).join(' ');
    expect(seen.errors).toBe(`sent ${total}\nheard ${total} ${lines} end\n`);
    expect(proxy.connections).toBeGreaterThan(2);
    expect(seen.notes.length).toBeGreaterThan(0);
  },
);

/** What the API server passes on of a kubelet, or answers itself. */
const answer404 = (message: string) => {
  const kube = { cluster: 'c', server: new URL('https://127.0.0.1:1'), proxy: undefined } as unknown as Kube;
  return refusal(kube, { method: 'GET', path: '/api/v1/namespaces/ksnoop/pods/a/portforward' }, 404, message);
};

test('a kubelet that was just started does not know the pod yet: the session is resumed when it does', async () => {
  const failures = [answer404('pod does not exist'), answer404('pod does not exist')];
  const { transport, proxy, seen, sessions } = await conversation({ failures });
  await until(() => sessions.length === 1);
  proxy.cut();
  await until(() => seen.notes.length === 1);
  expect(seen.notes[0]).toMatch(/was resumed after .*; nothing is missing/);
  transport.terminate();
});

test('a pod that does not exist any more ends the session at once', async () => {
  const { transport, proxy, seen, sessions } = await conversation({ failures: [answer404('pods "a" not found')] });
  await until(() => sessions.length === 1);
  proxy.cut();
  expect(await transport.ended).toMatchObject({
    kind: 'lost',
    error: { message: expect.stringContaining('not found') },
  });
  expect(seen.notes).toEqual([]);
});

test('a session that has ended by itself is lost as soon as the client hears it', async () => {
  const { transport, proxy, seen, sessions } = await conversation();
  transport.write('1000\n');
  await until(() => seen.bytes === 1000);
  sessions[0]?.abandon();
  const end = await transport.ended;
  expect(end.kind === 'lost' && end.error.message).toContain('The agent has ended the session');
  expect(proxy.connections).toBe(2);
});

test('a session that cannot be reached again is lost when its window is over', async () => {
  const { transport, proxy } = await conversation({ windowMs: 10_000 });
  const began = performance.now();
  proxy.open = false;
  proxy.cut();
  expect((await transport.ended).kind).toBe('lost');
  expect(performance.now() - began).toBeGreaterThan(9_000);
});

test('a connection that carries nothing any more is given up for another', async () => {
  const { transport, proxy, seen } = await conversation({ windowMs: 100_000 });
  proxy.freeze();
  transport.write('1000\n');
  await until(() => seen.bytes === 1000);
  expect(seen.notes).toHaveLength(1);
});

test('nothing grows while the client is paused, and the rest comes afterwards', async () => {
  const total = 40_000_000;
  const { transport, seen } = await conversation();
  transport.write(`${total}\n`);
  await until(() => seen.bytes > 100_000);
  transport.pause();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const there = seen.bytes;
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(seen.bytes).toBe(there);
  expect(seen.errors).toBe('');
  transport.resume();
  await until(() => seen.bytes === total);
  expect(seen.wrong).toBe(-1);
});

test('breaking off ends the session at once', async () => {
  const { transport, ends } = await conversation();
  transport.terminate();
  expect((await transport.ended).kind).toBe('lost');
  await until(() => ends.length > 0);
  expect(ends).toEqual([1]);
});
