// `npm run demo` as a newcomer sees it, its one file read by tshark.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const namespaces = () => execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).split('\n').sort();
const pipes = () => readdirSync('/dev/shm').filter((name) => name.startsWith('ksnoop-'));

test('captures three hosts, shows their packets, writes a file, and cleans up', () => {
  const before = { namespaces: namespaces(), pipes: pipes() };
  const folder = mkdtempSync(join(tmpdir(), 'ksnoop-demo-'));
  const { status, stdout, stderr } = spawnSync('node', [join(root, 'scripts/demo.ts')], {
    encoding: 'utf8',
    cwd: folder,
  });
  expect(status, stderr).toBe(0);
  const file = join(folder, /\S+\.pcapng/.exec(stdout + stderr)?.[0] ?? '');
  const rows = execFileSync(
    'tshark',
    ['-r', file, '-N', 'n', '-T', 'fields', '-e', 'frame.interface_name', '-e', '_ws.col.Protocol'],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  for (const protocol of ['DNS', 'HTTP']) expect(rows).toContain(protocol);
  expect(
    new Set(
      rows
        .trim()
        .split('\n')
        .map((row) => row.split('\t')[0]),
    ).size,
  ).toBe(3);
  expect(stderr).toMatch(/packets captured, .* 0 dropped by kernel, 0 dropped by ksnoop/);
  expect({ namespaces: namespaces(), pipes: pipes() }).toEqual(before);
  rmSync(folder, { recursive: true });
}, 180_000);
