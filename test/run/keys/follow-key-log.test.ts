import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KeyLog } from '../../../src/analyze/protocols/tls/decrypt/key-log.ts';
import { followKeyLog } from '../../../src/run/keys/follow-key-log.ts';

const line = (number: number) => `CLIENT_RANDOM ${String(number).padStart(64, '0')} ${'ab'.repeat(48)}\n`;

test('a key log is read as it grows, line by line, also after another took its place', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-keys-'));
  const path = join(directory, 'keys.log');
  const keys = new KeyLog();
  const stop = new AbortController();
  const following = followKeyLog(path, keys, stop.signal);
  try {
    writeFileSync(path, line(1) + line(2).slice(0, 50));
    await expect.poll(() => keys.size).toBe(1);
    appendFileSync(path, line(2).slice(50));
    await expect.poll(() => keys.size).toBe(2);
    rmSync(path);
    writeFileSync(path, line(3));
    await expect.poll(() => keys.size).toBe(3);
    expect(keys.invalid).toBe(0);
  } finally {
    stop.abort();
    await following;
    rmSync(directory, { recursive: true, force: true });
  }
});

test('a FIFO that nothing writes to does not keep it from ending', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-keys-'));
  const path = join(directory, 'fifo');
  execFileSync('mkfifo', [path]);
  const stop = new AbortController();
  const following = followKeyLog(path, new KeyLog(), stop.signal);
  try {
    stop.abort();
    await following;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}, 60_000);
