import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { KsnoopError } from '../../wire/errors.ts';
import { cannotWrite } from './file-errors.ts';
import { createFile } from './new-file.ts';

/**
 * Write a file that is there as a whole or not at all: under another name first, then on the disk, then under its own name. A file of
 * this name is replaced if it is of the same kind, so that an attempt that is made again leaves one.
 * @param start of the text of every file of this kind
 * @throws KsnoopError CANNOT_WRITE
 */
export function writeWholeFile(path: string, text: string, start: string): void {
  checkReplaceable(path, start);
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

/**
 * Whether nothing is lost when a file gets this name: what has it is a file of the same kind, or empty. Devices, pipes and other
 * people's files stay as they are.
 * @param start of the text of every file of this kind
 * @throws KsnoopError CANNOT_WRITE
 */
export function checkReplaceable(path: string, start: string): void {
  let there: string | undefined;
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (stat.isDirectory()) throw cannotWrite(path, 'it is a directory');
    if (!stat.isFile()) throw cannotWrite(path, 'it is a device or a pipe; without =FILE the output goes to stdout');
    there = startOf(path, Buffer.byteLength(start));
  } catch (cause) {
    if (cause instanceof KsnoopError) throw cause;
    throw cannotWrite(path, cause);
  }
  if (there !== '' && there !== start) throw cannotWrite(path, 'it exists, and is not a file of this kind');
}

function startOf(path: string, length: number): string {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    return bytes.toString('utf8', 0, readSync(fd, bytes, 0, length, 0));
  } finally {
    closeSync(fd);
  }
}
