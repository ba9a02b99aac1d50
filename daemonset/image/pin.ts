/**
 * Pins the Debian packages of the image to the newest ones of the release: node daemonset/image/pin.ts
 * Look at the difference before it is committed.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newestPackages } from './debian.ts';
import { pinFile } from './packages.ts';

for (const architecture of ['amd64', 'arm64'] as const) {
  const directory = await mkdtemp(join(tmpdir(), 'ksnoop-pin-'));
  try {
    const packages = await newestPackages(architecture, directory);
    const lines = packages.map(({ sha256, file }) => `${sha256}  ${file}\n`);
    await writeFile(join(import.meta.dirname, pinFile(architecture)), lines.join(''));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
