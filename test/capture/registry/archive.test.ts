import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ImageArchive } from '../../../src/capture/registry/archive.ts';

test('an archive that is missing or a directory is said to be so', async () => {
  const missing = join(import.meta.dirname, 'none.tar');
  const beneathFile = join(import.meta.filename, 'none.tar');
  for (const [path, why] of [
    [missing, 'it does not exist'],
    [beneathFile, 'it does not exist'],
    [import.meta.dirname, 'it is a directory'],
  ] as const) {
    await expect(ImageArchive.open(path)).rejects.toMatchObject({
      code: 'BAD_IMAGE_ARCHIVE',
      message: `${path} cannot be used as an image: ${why}.`,
      exit: 2,
    });
  }
});

test('an archive without an image, or with statements about images alone, cannot be used', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-archive-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'image.tar');
  for (const manifests of [[], [{ digest: 'sha256:0', platform: { os: 'unknown' } }]]) {
    writeFileSync(join(directory, 'index.json'), JSON.stringify({ manifests }));
    execFileSync('tar', ['-C', directory, '-cf', path, 'index.json']);
    const archive = await ImageArchive.open(path);
    await expect(archive.manifests()).rejects.toMatchObject({
      code: 'BAD_IMAGE_ARCHIVE',
      message: `${path} cannot be used as an image: it has no image.`,
    });
  }
});
