import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { installProfile } from '../../../src/cli/wireshark-profile/install.ts';
import { openSink, type Sink } from '../../../src/run/sink/sink.ts';
import { sinkConfig } from '../../cli/config.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-sink-'));
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

const never = new AbortController().signal;
const at = (name: string) => join(directory, name);
const open = (path: string, force = false) => openSink(sinkConfig({ write: path, force }), () => {}, never);
const mode = (path: string) => (statSync(path).mode & 0o7777).toString(8);

async function write(sink: Sink, text: string): Promise<void> {
  sink.writer.push(Buffer.from(text), 0, text.length);
  await sink.close(false);
}

test('a capture file is its owner alone to read, whatever the umask', async () => {
  const path = at('new');
  const sink = await open(path);
  expect(mode(path)).toBe('600');
  await write(sink, 'packets');
  expect(readFileSync(path, 'utf8')).toBe('packets');
  expect(sink.description).toBe(`wrote ${path}`);
});

test('a file that exists is kept, as it is, and the way out is named', async () => {
  const path = at('precious');
  writeFileSync(path, 'precious', { mode: 0o644 });
  await expect(open(path)).rejects.toMatchObject({
    code: 'FILE_EXISTS',
    exit: 2,
    message: `The file ${path} already exists.`,
    hint: expect.stringContaining('--force'),
  });
  expect(readFileSync(path, 'utf8')).toBe('precious');
  expect(mode(path)).toBe('644');
});

test('--force writes over it, and it is made private', async () => {
  const path = at('forced');
  writeFileSync(path, 'something longer than the packets', { mode: 0o644 });
  chmodSync(path, 0o644);
  await write(await open(path, true), 'packets');
  expect(readFileSync(path, 'utf8')).toBe('packets');
  expect(mode(path)).toBe('600');
});

test('--force does not write into the file that is there: who has it open gets nothing', async () => {
  const path = at('held');
  writeFileSync(path, 'old', { mode: 0o666 });
  const held = openSync(path, 'r+');
  try {
    await write(await open(path, true), 'packets');
    expect(readFileSync(held, 'utf8')).toBe('old');
    writeSync(held, 'forged packets', 0);
  } finally {
    closeSync(held);
  }
  expect(readFileSync(path, 'utf8')).toBe('packets');
});

test('a capture that grows can be read under its own name, and stays when ksnoop is killed', async () => {
  for (const force of [false, true]) {
    const path = at(`growing-${force}`);
    if (force) writeFileSync(path, 'old');
    const sink = await open(path, force);
    sink.writer.push(Buffer.from('packets'), 0, 7);
    await sink.writer.drained();
    expect(readFileSync(path, 'utf8')).toBe('packets');
    await sink.close(false);
  }
  expect(readdirSync(directory).filter((name) => name.startsWith('.ksnoop-'))).toEqual([]);
});

test('a symbolic link is a file that exists; --force writes where it leads', async () => {
  writeFileSync(at('led-to'), 'precious');
  symlinkSync(at('led-to'), at('link'));
  await expect(open(at('link'))).rejects.toMatchObject({ code: 'FILE_EXISTS' });
  await write(await open(at('link'), true), 'packets');
  expect(readFileSync(at('led-to'), 'utf8')).toBe('packets');
});

test('when nothing was captured a new file is taken away, and an old one stays', async () => {
  await (await open(at('nothing'))).close(true);
  expect(existsSync(at('nothing'))).toBe(false);
  writeFileSync(at('old'), 'x');
  await (await open(at('old'), true)).close(true);
  expect(existsSync(at('old'))).toBe(true);
});

test('what cannot be written says why, in words', async () => {
  writeFileSync(at('file'), '');
  mkdirSync(at('directory'));
  symlinkSync(at('nowhere'), at('dangling'));
  for (const [path, why] of [
    [join(directory, 'none', 'a'), 'its directory does not exist'],
    [join(directory, 'file', 'a'), 'its path leads through a file that is not a directory'],
    [at('n'.repeat(300)), 'its name is too long'],
    ['/proc/ksnoop', 'its directory does not exist'],
    [at('directory'), 'it is a directory'],
    [at('dangling'), 'it is a link to a file that does not exist'],
  ] as const) {
    for (const force of [false, true]) {
      await expect(open(path, force), path).rejects.toMatchObject({
        code: 'CANNOT_WRITE',
        exit: 1,
        message: `The file ${path} cannot be written: ${why}.`,
      });
    }
  }
  expect(existsSync(at('nowhere'))).toBe(false);
});

test('devices and FIFOs are written to, not over', async () => {
  await write(await open('/dev/null'), 'packets');
  execFileSync('mkfifo', [at('fifo')]);
  const reader = spawn('cat', [at('fifo')], { stdio: ['ignore', 'pipe', 'inherit'] });
  let read = '';
  reader.stdout.on('data', (chunk: Buffer) => (read += chunk.toString('utf8')));
  const closed = once(reader, 'close');
  const sink = await open(at('fifo'));
  await write(sink, 'packets');
  await closed;
  expect(read).toBe('packets');
  expect(sink.description).toBeUndefined();
});

test('waiting for the reader of a FIFO can be given up', async () => {
  execFileSync('mkfifo', [at('lonely')]);
  const abort = new AbortController();
  const opening = openSink(sinkConfig({ write: at('lonely') }), () => {}, abort.signal);
  setTimeout(() => abort.abort(new Error('enough')), 100);
  await expect(opening).rejects.toThrow('enough');
});

test('a full disk is told by the writer; what fitted stays', async () => {
  const sink = await open('/dev/full');
  await write(sink, 'packets');
  expect(sink.writer.end).toMatchObject({ kind: 'failed', error: { code: 'ENOSPC' } });
});

/** A program called wireshark, first on PATH. */
function fakeWireshark(script: string): void {
  const bin = mkdtempSync(at('bin-'));
  writeFileSync(join(bin, 'wireshark'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${bin}${delimiter}${process.env.PATH}`);
  // Whoever runs the tests may have a profile.
  vi.stubEnv('HOME', bin);
  vi.stubEnv('XDG_CONFIG_HOME', join(bin, 'config'));
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 5_000; !condition(); ) {
    if (Date.now() > end) throw new Error('not in five seconds');
    await sleep(10);
  }
}

test('--wireshark starts it to read from stdin, in a session that Ctrl-C does not reach', async () => {
  const [args, packets, session] = [at('args'), at('packets'), at('session')];
  fakeWireshark(
    `echo "$*" > ${args}; cat > ${packets}; cut -d' ' -f6 /proc/$$/stat > ${session}.part; mv ${session}.part ${session}`,
  );
  const sink = await openSink(sinkConfig({ wireshark: true }), () => {}, never);
  await write(sink, 'packets');
  await until(() => existsSync(session));
  expect(readFileSync(args, 'utf8')).toBe('-k -i -\n');
  expect(readFileSync(packets, 'utf8')).toBe('packets');
  const ours = readFileSync('/proc/self/stat', 'utf8').split(' ')[5];
  expect(readFileSync(session, 'utf8').trim()).not.toBe(ours);
});

test("--wireshark uses ksnoop's profile once it is installed", async () => {
  const args = at('args-with-profile');
  fakeWireshark(`echo "$*" > ${args}.part; mv ${args}.part ${args}; cat > /dev/null`);
  installProfile({ quiet: true });
  const sink = await openSink(sinkConfig({ wireshark: true }), () => {}, never);
  await until(() => existsSync(args));
  expect(readFileSync(args, 'utf8')).toBe('-C ksnoop -k -i -\n');
  await sink.close(false);
});

test('a Wireshark that is closed is a normal end', async () => {
  fakeWireshark('exit 0');
  let ended = false;
  const sink = await openSink(
    sinkConfig({ wireshark: true }),
    () => {
      ended ||= sink.writer.end !== undefined;
    },
    never,
  );
  while (sink.writer.end === undefined) {
    sink.writer.push(Buffer.alloc(1000), 0, 1000);
    sink.writer.flush();
    await sleep(10);
  }
  expect(sink.writer.end).toEqual({ kind: 'closed' });
  expect(ended).toBe(true);
  await sink.close(false);
});

test('a Wireshark that fails at once ends the capture, with its status and its words', async () => {
  fakeWireshark('echo "qt.qpa.xcb: could not connect to display" >&2; exit 1');
  const sink = await openSink(sinkConfig({ wireshark: true }), () => {}, never);
  // Without any packet, so that no write can tell.
  await until(() => sink.writer.end !== undefined);
  await sink.close(true);
  expect(sink.failure).toMatchObject({
    code: 'WIRESHARK_FAILED',
    exit: 1,
    message: 'Wireshark ended with status 1: qt.qpa.xcb: could not connect to display.',
  });
});

test('no Wireshark says what to do instead', async () => {
  vi.stubEnv('PATH', directory);
  await expect(openSink(sinkConfig({ wireshark: true }), () => {}, never)).rejects.toMatchObject({
    code: 'NO_WIRESHARK',
    exit: 1,
    hint: expect.stringContaining('tshark'),
  });
});
