import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { followFile } from '../../../src/capture/kube/follow-file.ts';
import type { Kube } from '../../../src/capture/kube/kube.ts';
import { type ApiServer, type Behaviour, startApiServer } from '../../support/api-server.ts';

let server: ApiServer;
let kube: Kube;
let directory: string;
let stop: AbortController;
let following: Promise<void> | undefined;
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ksnoop-follow-'));
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await following;
  following = undefined;
  for (const child of children.splice(0)) child.kill();
  kube.close();
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Runs the command of an exec on this machine, as a kubelet does in a container. */
function runHere(socket: WebSocket, request: IncomingMessage, path?: string): void {
  const [program = '', ...words] = new URL(request.url ?? '', 'https://x').searchParams.getAll('command');
  const env = path === undefined ? process.env : { PATH: path };
  const child = spawn(path === undefined ? program : join(path, program), words, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env,
  });
  children.push(child);
  const channel = (number: number) => (bytes: Buffer) => socket.send(Buffer.concat([Buffer.of(number), bytes]));
  child.stdout.on('data', channel(1));
  child.stderr.on('data', channel(2));
  child.stdin.on('error', () => {});
  socket.on('message', (data: Buffer) => {
    if (data[0] === 0) child.stdin.write(data.subarray(1));
    if (data[0] === 255) child.stdin.end();
  });
  socket.on('close', () => child.stdin.end());
  child.on('close', (code) => {
    const causes = [{ reason: 'ExitCode', message: String(code) }];
    const status =
      code === 0 ? { status: 'Success' } : { status: 'Failure', reason: 'NonZeroExitCode', details: { causes } };
    channel(3)(Buffer.from(JSON.stringify(status)));
    socket.close(1000);
  });
}

async function follow(path: string, behaviour: Behaviour = { onExec: runHere }) {
  server = await startApiServer(behaviour);
  kube = await loadKube({ kubeconfig: server.kubeconfig() });
  const notes: string[] = [];
  const readings: string[] = [];
  const begin = () => {
    const index = readings.push('') - 1;
    return (bytes: Uint8Array) => {
      readings[index] += Buffer.from(bytes).toString('latin1');
    };
  };
  const file = { namespace: 'shop', pod: 'web-1', container: 'app', path };
  following = followFile(kube, file, { begin, note: (sentence) => notes.push(sentence) }, stop.signal);
  return { notes, readings };
}

const DEADLINE = { timeout: 60_000 };

test('a file is read from its beginning, as it grows, and again after the connection broke; nothing is left running', async () => {
  // A name that a shell would run, were it part of a script.
  const path = join(directory, '$(touch x); "a\' b');
  const { readings, notes } = await follow(path);
  await expect.poll(() => notes.length, DEADLINE).toBe(1);
  expect(notes[0]).toContain('in shop/web-1 (app): does not exist yet');
  writeFileSync(path, 'one\n');
  await expect.poll(() => readings, DEADLINE).toEqual(['one\n']);
  appendFileSync(path, 'two\n');
  await expect.poll(() => readings, DEADLINE).toEqual(['one\ntwo\n']);
  server.cut();
  await expect.poll(() => readings, DEADLINE).toEqual(['one\ntwo\n', 'one\ntwo\n']);
  stop.abort();
  await following;
  await expect
    .poll(() => children.map(({ exitCode, signalCode }) => exitCode ?? signalCode), DEADLINE)
    .not.toContain(null);
  expect(children).toHaveLength(2);
  // Also not that tail has found the file.
  expect(notes.filter((note) => !/reset|closed|hang up|broke/i.test(note))).toHaveLength(1);
}, 120_000);

test('what a program writes in pieces is one message, also without an end of its line', async () => {
  const pieces = ['tail: cannot open', " 'a' for reading: No such", ' file or directory\ntail: no', ' space left'];
  const { notes } = await follow('/a', {
    onExec: (socket) => {
      for (const piece of pieces) socket.send(Buffer.concat([Buffer.of(2), Buffer.from(piece)]));
      socket.close(1000);
    },
  });
  await expect.poll(() => notes.length, DEADLINE).toBeGreaterThanOrEqual(2);
  expect(notes[0]).toContain(': does not exist yet; it is read when it appears');
  expect(notes.filter((note) => note.includes('tail'))).toEqual(['/a in shop/web-1 (app): tail: no space left']);
}, 120_000);

test.each(['dash', 'bash'])(
  '%s without tail reads the file by itself, whole lines',
  async (shell) => {
    // A container with a shell, and nothing else.
    symlinkSync(execFileSync('which', [shell], { encoding: 'utf8' }).trim(), join(directory, 'sh'));
    const path = join(directory, '$(touch x); "a\' b');
    const { readings, notes } = await follow(path, {
      onExec: (socket, request) => runHere(socket, request, directory),
    });
    await expect.poll(() => readings, DEADLINE).toEqual(['', '']);
    writeFileSync(path, 'a\\b  *\n two');
    await expect.poll(() => readings, DEADLINE).toEqual(['', 'a\\b  *\n']);
    appendFileSync(path, ' parts\nthree\n');
    await expect.poll(() => readings, DEADLINE).toEqual(['', 'a\\b  *\n two parts\nthree\n']);
    server.cut();
    await expect.poll(() => readings.slice(2), DEADLINE).toEqual(['a\\b  *\n two parts\nthree\n']);
    stop.abort();
    await following;
    await expect.poll(() => children.map(({ exitCode }) => exitCode), DEADLINE).toEqual([127, 0, 0]);
    expect(notes.filter((note) => !/reset|closed|hang up|broke/i.test(note))).toEqual([]);
  },
  120_000,
);

/** The most that a shell of these took of memory while it ran, bytes; 0 once it has gone. */
function dataOf(pid: number | undefined): number {
  try {
    const [, kilobytes = '0'] = /^VmData:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) * 1024;
  } catch {
    return 0;
  }
}

/** A shell and its subshell. */
const dataOfAll = () =>
  children.flatMap(({ pid }) => {
    const subshells = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
      .stdout.split('\n')
      .filter(Boolean);
    return [pid, ...subshells.map(Number)].map(dataOf);
  });

test.each(['dash', 'bash'])(
  '%s without tail leaves out a line that is too long, and keeps no more of it than 64 KiB',
  async (shell) => {
    symlinkSync(execFileSync('which', [shell], { encoding: 'utf8' }).trim(), join(directory, 'sh'));
    const path = join(directory, 'keys');
    writeFileSync(path, `first\n${'x'.repeat(200_000)}`);
    const { readings, notes } = await follow(path, {
      onExec: (socket, request) => runHere(socket, request, directory),
    });
    const read = () => readings.join('');
    await expect.poll(read, DEADLINE).toBe('first\n');
    await expect.poll(() => notes, DEADLINE).toHaveLength(1);
    expect(notes[0]).toContain('(app): lines longer than 64 KiB are left out');
    // It grows in parts that are each short enough.
    for (let part = 0; part < 4; part += 1) {
      appendFileSync(path, 'y'.repeat(50_000));
      await new Promise((resolve) => setTimeout(resolve, 600));
    }
    expect(Math.max(...dataOfAll())).toBeLessThan(4 * 2 ** 20);
    appendFileSync(path, `\nsecond\n${'z'.repeat(60_000)}\n\nthird\n`);
    const expected = `first\nsecond\n${'z'.repeat(60_000)}\n\nthird\n`;
    await expect.poll(() => read() === expected, DEADLINE).toBe(true);
    expect(notes).toHaveLength(1);
    // Far more than a shell may keep, at once.
    appendFileSync(path, 'x'.repeat(20_000_000));
    if (shell === 'dash') {
      await following;
      expect(notes.slice(1)).toEqual([expect.stringContaining("a line is too long for the container's shell")]);
      expect(children).toHaveLength(2);
    } else {
      appendFileSync(path, '\nfourth\n');
      await expect.poll(() => read() === `${expected}fourth\n`, DEADLINE).toBe(true);
      expect(Math.max(...dataOfAll())).toBeLessThan(4 * 2 ** 20);
      expect(notes).toHaveLength(1);
    }
  },
  170_000,
);

test('where even the shell is not found, as some runtimes report it, it ends and says so', async () => {
  const onExec = (socket: WebSocket) => {
    const details = { causes: [{ reason: 'ExitCode', message: '127' }] };
    const status = JSON.stringify({ status: 'Failure', reason: 'NonZeroExitCode', details });
    socket.send(Buffer.concat([Buffer.of(3), Buffer.from(status)]));
    socket.close(1000);
  };
  const { notes } = await follow('/keys', { onExec });
  await following;
  expect(notes).toEqual([
    '/keys in shop/web-1 (app): the container has no sh; name another container that mounts the same volume',
  ]);
}, 60_000);

test('a container that starts later is read then, without a note', async () => {
  const path = join(directory, 'keys');
  writeFileSync(path, 'one\n');
  let attempts = 0;
  const { notes, readings } = await follow(path, {
    onExec: runHere,
    onUpgrade: (_request, socket) => {
      attempts += 1;
      if (attempts > 2) return false;
      // As the kubelet answers.
      const message = 'Internal error occurred: unable to upgrade connection: container not found ("app")';
      const body = JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code: 500 });
      const head = `HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
      socket.end(`${head}\r\nconnection: close\r\n\r\n${body}`);
      return true;
    },
  });
  await expect.poll(() => readings.at(-1), DEADLINE).toBe('one\n');
  expect(attempts).toBe(3);
  expect(notes).toEqual([]);
}, 120_000);

test('without the permission to exec it ends with the message of the API server', async () => {
  const onUpgrade: Behaviour['onUpgrade'] = (_request, socket) => {
    socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
    return true;
  };
  const { notes, readings } = await follow('/keys', { onUpgrade });
  await following;
  expect(notes).toHaveLength(1);
  expect(readings).toEqual(['']);
});
