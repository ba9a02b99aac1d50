import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('a recording is gone on with where the disk is full: no piece is lost', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-full-'));
  try {
    // A disk of its own, which is gone with the process.
    const program = ['node', join(import.meta.dirname, 'recover-full.ts'), directory];
    const mount = `mount -t tmpfs -o size=1m none ${directory} && exec "$@"`;
    const out = execFileSync('unshare', ['--mount', '--', 'sh', '-c', mount, 'sh', ...program], { encoding: 'utf8' });
    const { pieces, sizes } = JSON.parse(out);
    expect(pieces).toMatchObject([
      { name: '00001.pcapng', bytes: 65_536, packets: 1 },
      { name: '00002.pcapng', bytes: 65_536, packets: 1 },
    ]);
    expect(sizes).toEqual([65_536, 65_536]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
