import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('a piece that a full volume has no room for is refused by name, and leaves no bytes of it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-full-volume-'));
  const volume = join(directory, 'volumes', 'small');
  mkdirSync(volume, { recursive: true });
  try {
    // A disk of its own, which is gone with the process.
    const program = ['node', join(import.meta.dirname, 'copy-full.ts'), join(directory, 'piece'), join(volume, '..')];
    const mount = `mount -t tmpfs -o size=1m none ${volume} && exec "$@"`;
    const out = execFileSync('unshare', ['--mount', '--', 'sh', '-c', mount, 'sh', ...program], { encoding: 'utf8' });
    expect(out).toMatch(/^the volume small is full: ENOSPC/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
