import { join } from 'node:path';
import { expect, test } from 'vitest';
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
