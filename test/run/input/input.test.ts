import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  constants,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openInput } from '../../../src/run/input/input.ts';
import { HANG_MS } from '../../support/hang.ts';
import { COMPRESSIONS, fifo, file, LARGE, RANDOM, readAll, writeSlowly } from './inputs.ts';

describe('files', () => {
  test.each([0, 1, 3, 4, 5, 100_000, 1 << 20, (1 << 20) + 1, LARGE.length])('%i bytes', async (length) => {
    const content = LARGE.subarray(0, length);
    const { end, bytes, position } = await readAll(file(content));
    expect(end).toEqual({ kind: 'complete' });
    expect(position).toBe(length);
    expect(bytes.equals(content)).toBe(true);
  });

  test('a growing file goes on at its end until told to stop', async () => {
    const path = file(RANDOM.subarray(0, 2));
    const abort = new AbortController();
    const reading = readAll(path, abort.signal, true, (count) => count >= RANDOM.length && abort.abort());
    for (let at = 2; at < RANDOM.length; at += 1_000) {
      await sleep(at < 3_000 ? 150 : 20);
      appendFileSync(path, RANDOM.subarray(at, at + 1_000));
    }
    const { end, bytes } = await reading;
    expect(end).toEqual({ kind: 'aborted' });
    expect(bytes.equals(RANDOM)).toBe(true);
  });

  test.each(COMPRESSIONS)('a growing $name file', async ({ compress }) => {
    const content = compress(RANDOM);
    const path = file(content.subarray(0, 3));
    const abort = new AbortController();
    const reading = readAll(path, abort.signal, true, (count) => count >= RANDOM.length && abort.abort());
    for (let at = 3; at < content.length; at += 2_000) {
      await sleep(120);
      appendFileSync(path, content.subarray(at, at + 2_000));
    }
    const { end, bytes } = await reading;
    expect(end).toEqual({ kind: 'aborted' });
    expect(bytes.equals(RANDOM)).toBe(true);
  });
});

describe('a file that is followed', () => {
  test.each([
    ['cut', (path: string) => truncateSync(path, 10), { kind: 'truncated', at: RANDOM.length }],
    ['removed', (path: string) => rmSync(path), { kind: 'replaced' }],
    ['renamed and written anew', rotate, { kind: 'replaced' }],
  ])('ends when it is %s, with all that it held', async (_, change, expected) => {
    const path = file(RANDOM);
    const whole = Promise.withResolvers<void>();
    const reading = readAll(path, AbortSignal.timeout(30_000), true, (count) => {
      if (count >= RANDOM.length) whole.resolve();
    });
    await whole.promise;
    change(path);
    const { end, bytes } = await reading;
    expect(end).toMatchObject(expected);
    expect(bytes.equals(RANDOM)).toBe(true);
  });
});

function rotate(path: string): void {
  renameSync(path, `${path}.1`);
  writeFileSync(path, 'another');
}

describe('pipes', () => {
  test.each([1_000, 65_536])('a FIFO whose writer comes later, %i bytes at a time', async (piece) => {
    const path = fifo();
    const reading = readAll(path);
    await sleep(100);
    writeSlowly(path, LARGE, piece);
    const { end, bytes, position } = await reading;
    expect(end).toEqual({ kind: 'complete' });
    expect(position).toBe(LARGE.length);
    expect(bytes.equals(LARGE)).toBe(true);
  });

  test('a writer that writes nothing', async () => {
    const path = fifo();
    const reading = readAll(path);
    writeSlowly(path, Buffer.alloc(0), 512);
    expect(await reading).toMatchObject({ end: { kind: 'complete' }, bytes: Buffer.alloc(0) });
  });

  test('a writer waits for a slow receiver', async () => {
    const path = fifo();
    const input = openInput(path, { follow: false });
    let go = () => {};
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    let taken = 0;
    const end = input.each(
      (bytes) => {
        taken += bytes.length;
        return held;
      },
      new AbortController().signal,
      () => {},
    );
    writeSlowly(path, LARGE, 65_536);
    // However late the writer begins; then time to write more than it may.
    await expect.poll(() => taken, { timeout: HANG_MS }).toBeGreaterThan(0);
    await sleep(300);
    expect(input.position).toBeLessThan(LARGE.length / 2);
    go();
    expect(await end).toEqual({ kind: 'complete' });
    expect(taken).toBe(LARGE.length);
  });

  test.each(COMPRESSIONS)('$name through a FIFO', async ({ compress }) => {
    const path = fifo();
    const reading = readAll(path);
    writeSlowly(path, compress(LARGE), 1_000);
    const { end, bytes } = await reading;
    expect(end).toEqual({ kind: 'complete' });
    expect(bytes.equals(LARGE)).toBe(true);
  });

  test('a signal is heard while nobody has opened a FIFO to write, and while nobody writes', async () => {
    const path = fifo();
    for (const writer of [undefined, 'idle'] as const) {
      const child = writer && spawn('sh', ['-c', 'exec 3>"$0"; echo open; exec sleep 60', path]);
      const abort = new AbortController();
      const reading = readAll(path, abort.signal);
      if (child !== undefined) await once(child.stdout, 'data');
      setTimeout(() => abort.abort(), 100);
      // A reading that does not hear it ends as complete, with its writer, or not at all.
      expect((await reading).end).toEqual({ kind: 'aborted' });
      child?.kill();
    }
  });

  test('ksnoop read FIFO ends with Ctrl-C when nothing comes', async () => {
    const main = join(import.meta.dirname, '../../../src/cli/main.ts');
    for (const writing of [false, true]) {
      const path = fifo();
      const child = spawn('node', [main, 'read', path], { stdio: 'ignore' });
      const exit = once(child, 'exit');
      await hasOpened(child.pid ?? 0, path);
      const writer = writing ? openSync(path, constants.O_WRONLY | constants.O_NONBLOCK) : undefined;
      child.kill('SIGINT');
      expect(await exit).toEqual([expect.any(Number), null]);
      if (writer !== undefined) closeSync(writer);
    }
  });
});

/** Resolves once a process has a file open: by opening a FIFO one would be its writer, and by closing it its end. */
async function hasOpened(pid: number, path: string): Promise<void> {
  const directory = `/proc/${pid}/fd`;
  for (;;) {
    try {
      if (readdirSync(directory).some((descriptor) => readlinkSync(join(directory, descriptor)) === path)) return;
    } catch {
      // A descriptor was closed meanwhile.
    }
    await sleep(20);
  }
}
