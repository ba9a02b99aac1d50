import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { debianPackages } from '../../daemonset/image/debian.ts';
import { DESCRIPTION } from '../../daemonset/image/description.ts';
import { dockerfile } from '../../daemonset/image/dockerfile.ts';
import { pinnedPackages } from '../../daemonset/image/packages.ts';

const root = join(import.meta.dirname, '../..');

test('the Dockerfile is what the description says', () => {
  expect(readFileSync(join(root, 'daemonset/image/Dockerfile'), 'utf8')).toBe(dockerfile());
});

test.each(['amd64', 'arm64'] as const)('%s: every package is pinned by version and digest', (architecture) => {
  const pinned = pinnedPackages(architecture);
  expect(pinned.map(({ name }) => name)).toEqual([...DESCRIPTION.packages].sort());
  for (const { name, version, file, sha256 } of pinned) {
    expect(version).toMatch(/^(?:\d+:)?\d[\w.+~-]*$/);
    expect(file).toBe(`${name}_${version.replace(':', '%3a')}_${architecture}.deb`);
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  }
  const other = pinnedPackages(architecture === 'amd64' ? 'arm64' : 'amd64');
  expect(pinned.map(({ version }) => version)).toEqual(other.map(({ version }) => version));
});

test('a package of another digest is refused, not only one that is fetched now', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-pinned-'));
  const bin = join(directory, 'bin');
  mkdirSync(bin);
  // What apt fetches now is no package at all.
  const forged = pinnedPackages('amd64').map(({ file }) => `echo forged > '${file}'`);
  writeFileSync(join(bin, 'apt-get'), `#!/bin/sh\ncase "$*" in *download*) ${forged.join('; ')} ;; esac\n`, {
    mode: 0o755,
  });
  vi.stubEnv('PATH', `${bin}:${process.env.PATH}`);
  try {
    const debs = join(directory, 'debs');
    for (let build = 0; build < 2; build += 1) {
      const fetching = { architecture: 'amd64', directory: debs, newest: false, log: () => {} } as const;
      await expect(debianPackages(fetching)).rejects.toMatchObject({
        code: expect.stringMatching(/^IMAGE_(?:NOT_PINNED|NEEDS_DEBIAN)$/),
      });
    }
  } finally {
    vi.unstubAllEnvs();
    rmSync(directory, { recursive: true });
  }
});

test('the image has the Node that the tests run on', () => {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(DESCRIPTION.node).toBe(devDependencies.node);
});

test('nothing in the image is a shell', () => {
  const names = [...DESCRIPTION.programs, DESCRIPTION.nodePath, DESCRIPTION.agentPath].map((path) =>
    path.split('/').at(-1),
  );
  expect(names.sort()).toEqual([
    'head',
    'ksnoop-agent',
    'mkfifo',
    'nc.openbsd',
    'node',
    'nsenter',
    'prlimit',
    'setpriv',
    'tcpdump',
  ]);
});
