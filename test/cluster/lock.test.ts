import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { locked } from './lock.ts';
import { statOf } from './processes.ts';
import { pause } from './run.ts';

let root: string;
let directory: string;
let layout: { readonly lock: string };

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ksnoop-lock-'));
  directory = join(root, 'clusters');
  layout = { lock: join(directory, 'main.lock') };
});

afterEach(() => rmSync(root, { recursive: true }));

test('one at a time, and no directory is left', async () => {
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await pause(20);
    inside--;
  };
  await Promise.all([locked(layout, work), locked(layout, work), locked(layout, work)]);
  expect(most).toBe(1);
  expect(existsSync(directory)).toBe(false);
});

test('it is released when the work fails', async () => {
  await expect(locked(layout, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(existsSync(directory)).toBe(false);
});

test('a holder that was killed, or whose pid is another process by now, holds nothing', async () => {
  const holder = spawn('sleep', ['60']);
  const pid = holder.pid ?? 0;
  const identity = `${pid} ${statOf(pid)?.startTime}`;
  holder.kill('SIGKILL');
  await once(holder, 'close');
  for (const stale of [identity, `${process.pid} 1`]) {
    await locked(layout, async () => undefined);
    await locked({ lock: join(directory, 'other.lock') }, async () => {
      symlinkSync(stale, layout.lock);
      expect(await locked(layout, async () => 'mine')).toBe('mine');
    });
  }
});
