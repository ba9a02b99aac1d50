import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cannotWrite } from './file-errors.ts';
import { createFile } from './new-file.ts';

/**
 * Write a file that is there as a whole or not at all: under another name first, then on the disk, then under its own name. A file of
 * this name is replaced, so that an attempt that is made again leaves one.
 * @throws KsnoopError CANNOT_WRITE
 */
export function writeWholeFile(path: string, text: string): void {
  const temporary = join(dirname(path), `.${basename(path)}-${randomBytes(8).toString('hex')}.part`);
  const fd = createFile(temporary);
  if (fd === undefined) throw cannotWrite(temporary, 'it exists');
  try {
    try {
      writeFileSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw cannotWrite(path, cause);
  }
}
